#include "mcp_session/auth/static_token_authenticator.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <utility>

#include "mcp_session/auth/bearer.h"
#include "mcp_session/session/server_engine.h"
#include "mcp_session/system/read_file.h"

namespace mcp_session {
namespace {

constexpr std::size_t kMaxFileBytes = 1u << 20;
constexpr std::string_view kBlanks = " \t\r";

std::array<unsigned char, 32> Digest(std::string_view token) {
  std::array<unsigned char, 32> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(token.data()), token.size(), digest.data());
  return digest;
}

std::vector<std::string> Words(std::string_view line) {
  std::vector<std::string> words;
  for (;;) {
    const std::size_t begin = line.find_first_not_of(kBlanks);
    if (begin == std::string_view::npos) return words;
    line.remove_prefix(begin);
    const std::string_view word = line.substr(0, line.find_first_of(kBlanks));
    words.emplace_back(word);
    line.remove_prefix(word.size());
  }
}

// Empty if the line is fine.
std::string_view Complaint(const std::vector<std::string>& words) {
  if (words.size() < 2) return "is not PRINCIPAL TOKEN [SCOPE...]";
  if (words[0].size() > kMaxPrincipalBytes) return "has a principal that is too long";
  if (words[1].size() < kMinStaticTokenBytes) return "has a token of less than 16 characters";
  if (!IsBearerToken(words[1])) return "has a token that no header could carry";
  return {};
}

}  // namespace

Result<std::vector<StaticToken>> ParseStaticTokens(std::string_view text) {
  std::vector<StaticToken> tokens;
  for (int number = 1; !text.empty(); ++number) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(line.size() < text.size() ? line.size() + 1 : line.size());
    std::vector<std::string> words = Words(line);
    if (words.empty() || words[0].starts_with('#')) continue;
    std::string_view complaint = Complaint(words);
    if (complaint.empty() && tokens.size() == kMaxStaticTokens) complaint = "is one too many";
    if (!complaint.empty()) {
      return Failure(ErrorCode::kInvalidArgument, Blame::kCaller,
                     "tokens: line " + std::to_string(number) + " " + std::string(complaint));
    }
    tokens.push_back({std::move(words[0]), std::move(words[1]),
                      std::vector<std::string>(words.begin() + 2, words.end())});
  }
  return tokens;
}

Result<std::vector<StaticToken>> ReadStaticTokens(const std::string& path) {
  MCPS_TRY(std::string text, ReadSmallFile(path, kMaxFileBytes, "the file of tokens"));
  Result<std::vector<StaticToken>> tokens = ParseStaticTokens(text);
  OPENSSL_cleanse(text.data(), text.size());
  return tokens;
}

StaticTokenAuthenticator::StaticTokenAuthenticator(const std::vector<StaticToken>& tokens) {
  for (const StaticToken& token : tokens) {
    entries_.push_back({Digest(token.token), token.principal, token.scopes});
  }
}

void StaticTokenAuthenticator::Authenticate(std::string_view token, Done done) {
  const auto digest = Digest(token);
  const Entry* found = nullptr;
  for (const Entry& entry : entries_) {
    if (CRYPTO_memcmp(digest.data(), entry.digest.data(), digest.size()) == 0) found = &entry;
  }
  Authentication result;
  if (found != nullptr) {
    result.verdict = Authentication::Verdict::kValid;
    result.principal = found->principal;
    result.scopes = found->scopes;
  }
  done(std::move(result));
}

}  // namespace mcp_session
