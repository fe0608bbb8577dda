// Theory of operation. The digits are an integer D, the exponent says times ten to the E. Most
// numbers need no more than one exact multiplication or division of doubles (Clinger 1990). Others
// go through a big integer N: D x 10^E, or D x 2^S / 10^-E with S so large that more than 53 bits
// remain; what is cut off is only remembered as being something or nothing. The first 53 bits of
// N, rounded, are the answer.
#include "mcp_session/json/number.h"

#include <array>
#include <cmath>
#include <cstdint>

namespace mcp_session {
namespace {

// No two doubles, nor the middle of two, differ behind this many digits; that something else
// follows is all that can matter.
constexpr int kMaxDigits = 770;
// 10^kMaxExponent x a digit is beyond every double, 10^kMinExponent x any digits is nothing.
constexpr int kMaxExponent = 310;
constexpr int kMinExponent = -345;

class BigInteger {
 public:
  void MultiplyAdd(std::uint32_t factor, std::uint32_t summand) {
    std::uint64_t carry = summand;
    for (int i = 0; i < size_; ++i) {
      carry += std::uint64_t{words_[i]} * factor;
      words_[i] = static_cast<std::uint32_t>(carry);
      carry >>= 32;
    }
    if (carry != 0) words_[size_++] = static_cast<std::uint32_t>(carry);
  }

  // Whether there is a remainder.
  bool Divide(std::uint32_t divisor) {
    std::uint64_t rest = 0;
    for (int i = size_; i-- > 0;) {
      rest = rest << 32 | words_[i];
      words_[i] = static_cast<std::uint32_t>(rest / divisor);
      rest %= divisor;
    }
    while (size_ > 0 && words_[size_ - 1] == 0) --size_;
    return rest != 0;
  }

  void ShiftLeft(int words) {
    for (int i = size_; i-- > 0;) words_[i + words] = words_[i];
    for (int i = 0; i < words; ++i) words_[i] = 0;
    size_ += words;
  }

  int BitCount() const {
    int count = size_ * 32;
    while (count > 0 && !Bit(count - 1)) --count;
    return count;
  }
  bool Bit(int at) const { return at >= 0 && (words_[at / 32] >> at % 32 & 1) != 0; }
  bool AnyBitBelow(int at) const {
    while (at > 0) {
      if (Bit(--at)) return true;
    }
    return false;
  }

 private:
  // kMaxDigits digits and what ShiftLeft adds for the smallest exponent.
  std::array<std::uint32_t, 220> words_;
  int size_ = 0;
};

struct Decimal {
  std::array<std::uint8_t, kMaxDigits> digits;  // no zeros in front
  int count = 0;
  int exponent = 0;    // of the last digit
  bool more = false;  // digits other than zero follow
};

Decimal ReadDecimal(std::string_view text) {
  Decimal decimal;
  bool after_point = false;
  std::size_t at = text[0] == '-' ? 1 : 0;
  for (; at < text.size() && (text[at] | 0x20) != 'e'; ++at) {
    if (text[at] == '.') {
      after_point = true;
      continue;
    }
    const int digit = text[at] - '0';
    if (decimal.count < kMaxDigits) {
      if (decimal.count > 0 || digit > 0) decimal.digits[decimal.count++] = digit;
      decimal.exponent -= after_point ? 1 : 0;
    } else {
      decimal.more |= digit > 0;
      decimal.exponent += after_point ? 0 : 1;
    }
  }
  if (at == text.size()) return decimal;
  const bool negative = text[++at] == '-';
  if (negative || text[at] == '+') ++at;
  int exponent = 0;
  // Further digits change nothing: no text is long enough to make up for them.
  for (; at < text.size() && exponent < 100'000'000; ++at) exponent = exponent * 10 + (text[at] - '0');
  decimal.exponent += negative ? -exponent : exponent;
  return decimal;
}

std::optional<double> FromSmall(const Decimal& decimal) {
  constexpr double kPowers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
  if (decimal.count > 15 || std::abs(decimal.exponent) > 22) return std::nullopt;
  double value = 0;
  for (int i = 0; i < decimal.count; ++i) value = value * 10 + decimal.digits[i];
  return decimal.exponent < 0 ? value / kPowers[-decimal.exponent]
                              : value * kPowers[decimal.exponent];
}

double FromBig(const Decimal& decimal) {
  BigInteger n;
  for (int i = 0; i < decimal.count; ++i) n.MultiplyAdd(10, decimal.digits[i]);
  for (int e = decimal.exponent; e > 0; --e) n.MultiplyAdd(10, 0);
  bool more = decimal.more;
  int shift = 0;
  if (decimal.exponent < 0) {
    // 10 is less than 2^(10/3), and 3 words are more than 64 bits.
    shift = -decimal.exponent * 10 / 96 + 4;
    n.ShiftLeft(shift);
    int e = decimal.exponent;
    for (; e <= -9; e += 9) more |= n.Divide(1'000'000'000);
    for (; e < 0; ++e) more |= n.Divide(10);
  }
  const int bits = n.BitCount();
  const int exponent = bits - 32 * shift;  // the value is from 2^(exponent-1) to 2^exponent
  constexpr int kSmallestNormal = -1021;
  const int kept = exponent < kSmallestNormal ? 53 - (kSmallestNormal - exponent) : 53;
  if (kept < 0) return 0;
  std::uint64_t mantissa = 0;
  for (int i = 1; i <= kept; ++i) mantissa = mantissa << 1 | (n.Bit(bits - i) ? 1 : 0);
  const int next = bits - kept - 1;
  if (n.Bit(next) && ((mantissa & 1) != 0 || more || n.AnyBitBelow(next))) ++mantissa;
  return std::ldexp(static_cast<double>(mantissa), exponent - kept);
}

}  // namespace

std::optional<double> ParseDouble(std::string_view text) {
  const Decimal decimal = ReadDecimal(text);
  const int magnitude = decimal.count + decimal.exponent;
  double value = 0;
  if (decimal.count > 0 && magnitude > kMaxExponent) return std::nullopt;
  if (decimal.count > 0 && magnitude > kMinExponent) {
    const std::optional<double> small = FromSmall(decimal);
    value = small ? *small : FromBig(decimal);
  }
  if (std::isinf(value)) return std::nullopt;
  return text[0] == '-' ? -value : value;
}

}  // namespace mcp_session
