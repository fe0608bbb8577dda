// Theory of operation, reading. The digits are an integer D, the exponent says times ten to the E.
// Most numbers need no more than one exact multiplication or division of doubles (Clinger 1990).
// Others go through a big integer N: D x 10^E, or D x 2^S / 10^-E with S so large that more than 53
// bits remain; what is cut off is only remembered as being something or nothing. The first 53 bits
// of N, rounded, are the answer.
//
// Writing. Most doubles are a whole number of up to 15 digits over a power of ten that is exact.
// The digits of any other are said by std::to_chars, which is quicker, or where that cannot do it
// read off a big integer and then rounded away for as long as
// the rest reads back as the same double.
#include "mcp_session/json/number.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "mcp_session/base/decimal.h"

namespace mcp_session {
namespace {

// No two doubles, nor the middle of two, differ behind this many digits; that something else
// follows is all that can matter.
constexpr int kMaxDigits = 770;
// 10^kMaxExponent x a digit is beyond every double, 10^kMinExponent x any digits is nothing.
constexpr int kMaxExponent = 310;
constexpr int kMinExponent = -345;
// 10^22 is the largest power of ten that a double holds.
constexpr int kMaxExactPower = 22;

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

  // Leaves the quotient; the remainder.
  std::uint32_t Divide(std::uint32_t divisor) {
    std::uint64_t rest = 0;
    for (int i = size_; i-- > 0;) {
      rest = rest << 32 | words_[i];
      words_[i] = static_cast<std::uint32_t>(rest / divisor);
      rest %= divisor;
    }
    while (size_ > 0 && words_[size_ - 1] == 0) --size_;
    return static_cast<std::uint32_t>(rest);
  }

  void ShiftLeft(int words) {
    for (int i = size_; i-- > 0;) words_[i + words] = words_[i];
    for (int i = 0; i < words; ++i) words_[i] = 0;
    size_ += words;
  }
  void ShiftRight(int words) {
    size_ = std::max(size_ - words, 0);
    for (int i = 0; i < size_; ++i) words_[i] = words_[i + words];
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
  int exponent = 0;   // of the last digit
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
  for (; at < text.size() && exponent < 100'000'000; ++at)
    exponent = exponent * 10 + (text[at] - '0');
  decimal.exponent += negative ? -exponent : exponent;
  return decimal;
}

std::optional<double> FromSmall(const Decimal& decimal) {
  if (decimal.count > 15 || std::abs(decimal.exponent) > kMaxExactPower) return std::nullopt;
  double value = 0;
  for (int i = 0; i < decimal.count; ++i) value = value * 10 + decimal.digits[i];
  double power = 1;
  for (int i = std::abs(decimal.exponent); i > 0; --i) power *= 10;
  return decimal.exponent < 0 ? value / power : value * power;
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
    for (; e <= -9; e += 9) more |= n.Divide(1'000'000'000) != 0;
    for (; e < 0; ++e) more |= n.Divide(10) != 0;
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

// The shortest, if it is that of a whole number of up to 15 digits over an exact power of ten: no
// two of those are the same double.
bool WriteSmall(double value, std::string* digits, int* exponent) {
  double power = 1;
  for (*exponent = 0; *exponent >= -kMaxExactPower; --*exponent, power *= 10) {
    const double whole = std::floor(value * power + 0.5);
    if (whole >= 1e15) return false;
    if (whole / power != value) continue;
    AppendDecimal(static_cast<std::uint64_t>(whole), digits);
    return true;
  }
  return false;
}

#ifdef __cpp_lib_to_chars

void WriteBig(double value, std::string* digits, int* exponent) {
  char text[32];  // d.ddde-dd
  const auto written =
      std::to_chars(text, text + sizeof text, value, std::chars_format::scientific);
  const std::string_view whole(text, static_cast<std::size_t>(written.ptr - text));
  const std::size_t e = whole.find('e');
  *digits += whole[0];
  if (e > 1) *digits += whole.substr(2, e - 2);
  const std::size_t first = whole[e + 1] == '+' ? e + 2 : e + 1;
  std::from_chars(text + first, text + whole.size(), *exponent);
  *exponent -= static_cast<int>(digits->size()) - 1;
}

#else  // libc++ has none, and it would bring tables along

// Its first digits, more than the 17 that tell any double from its neighbours.
Decimal ReadDouble(double value) {
  constexpr std::uint32_t kStep = 1'000'000'000;  // of 30 bits
  std::uint64_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  int binary = static_cast<int>(bits >> 52);
  bits &= (std::uint64_t{1} << 52) - 1;
  if (binary > 0) bits |= std::uint64_t{1} << 52;
  binary = std::max(binary, 1) - 1075;
  // From here on the value is n x 2^binary x 10^exponent. n is cut off below its first 96 bits, so
  // that no number takes long.
  BigInteger n;
  n.MultiplyAdd(0, static_cast<std::uint32_t>(bits >> 32));
  n.ShiftLeft(1);
  n.MultiplyAdd(1, static_cast<std::uint32_t>(bits));
  n.ShiftLeft(2);
  binary -= 64;
  Decimal decimal;
  for (; n.BitCount() + binary < 60; decimal.exponent -= 9) {
    n.MultiplyAdd(kStep, 0);
    if (n.BitCount() <= 128) continue;
    n.ShiftRight(1);
    binary += 32;
  }
  for (; n.BitCount() + binary > 90; decimal.exponent += 9) {
    n.ShiftLeft(1);
    binary -= 32;
    n.Divide(kStep);
  }
  n.ShiftRight(-binary / 32);
  n.Divide(std::uint32_t{1} << -binary % 32);
  while (n.BitCount() > 0) {
    decimal.digits[decimal.count++] = static_cast<std::uint8_t>(n.Divide(10));
  }
  std::reverse(decimal.digits.begin(), decimal.digits.begin() + decimal.count);
  return decimal;
}

// To at most `count` digits, half up, and without zeros at the end.
Decimal Round(Decimal decimal, int count) {
  const bool up = decimal.count > count && decimal.digits[count] >= 5;
  const int redundant = up ? 9 : 0;
  if (decimal.count > count) {
    decimal.exponent += decimal.count - count;
    decimal.count = count;
  }
  while (decimal.count > 0 && decimal.digits[decimal.count - 1] == redundant) {
    --decimal.count;
    ++decimal.exponent;
  }
  if (!up) return decimal;
  if (decimal.count == 0) decimal.digits[decimal.count++] = 0;
  ++decimal.digits[decimal.count - 1];
  return decimal;
}

void WriteBig(double value, std::string* digits, int* exponent) {
  const Decimal all = ReadDouble(value);
  Decimal shortest = Round(all, 17);  // which is always enough
  while (shortest.count > 1) {
    const Decimal shorter = Round(all, shortest.count - 1);
    if (FromBig(shorter) != value) break;
    shortest = shorter;
  }
  for (int i = 0; i < shortest.count; ++i) *digits += static_cast<char>('0' + shortest.digits[i]);
  *exponent = shortest.exponent;
}

#endif

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

void AppendDouble(double value, std::string* out) {
  if (std::signbit(value)) *out += '-';
  std::string digits;
  int exponent = 0;
  if (!WriteSmall(std::fabs(value), &digits, &exponent)) {
    WriteBig(std::fabs(value), &digits, &exponent);
  }
  const int count = static_cast<int>(digits.size());
  const int point = count + exponent;  // where it is, seen from the first digit
  if (point > 15 || point <= -4) {
    if (count > 1) digits.insert(1, 1, '.');
    *out += digits;
    *out += point > 0 ? "e+" : "e-";
    const int magnitude = std::abs(point - 1);
    if (magnitude < 10) *out += '0';
    AppendDecimal(static_cast<std::uint64_t>(magnitude), out);
    return;
  }
  if (point <= 0) {
    *out += "0.";
    out->append(static_cast<std::size_t>(-point), '0');
    *out += digits;
    return;
  }
  if (exponent >= 0) {
    *out += digits;
    out->append(static_cast<std::size_t>(exponent), '0');
    *out += ".0";
    return;
  }
  digits.insert(static_cast<std::size_t>(point), 1, '.');
  *out += digits;
}

}  // namespace mcp_session
