#include "mcp_session/schema/own_rules.h"

#include <re2/re2.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <memory>
#include <new>
#include <stdexcept>
#include <utility>
#include <valijson/constraint_builder.hpp>
#include <valijson/constraints/concrete_constraints.hpp>
#include <valijson/validation_results.hpp>
#include <vector>

namespace mcp_session {
namespace {

using valijson::adapters::Adapter;

// What is wrong with a value; empty: nothing.
using Rule = std::function<std::string(const Adapter& value)>;

class RuleConstraint final : public valijson::constraints::PolyConstraint {
 public:
  explicit RuleConstraint(Rule rule) : rule_(std::move(rule)) {}

  bool validate(const Adapter& target, const std::vector<std::string>& context,
                valijson::ValidationResults* results) const override {
    const std::string wrong = rule_(target);
    if (!wrong.empty() && results != nullptr) results->pushError(context, wrong);
    return wrong.empty();
  }

 private:
  valijson::constraints::Constraint* cloneInto(void* memory) const override {
    return new (memory) RuleConstraint(rule_);
  }
  std::size_t sizeOf() const override { return sizeof(RuleConstraint); }

  Rule rule_;
};

class RuleBuilder final : public valijson::ConstraintBuilder {
 public:
  using Make = Rule (*)(const Adapter& keyword);
  explicit RuleBuilder(Make make) : make_(make) {}

  valijson::constraints::Constraint* make(const Adapter& keyword) const override {
    return new RuleConstraint(make_(keyword));
  }

 private:
  Make make_;
};

std::int64_t Characters(const std::string& text) {
  return std::count_if(text.begin(), text.end(),
                       [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
}

Rule PatternRule(const Adapter& keyword) {
  if (!keyword.isString()) throw std::runtime_error("a pattern is a string");
  RE2::Options options(RE2::Quiet);
  options.set_max_mem(1 << 20);
  const auto pattern = std::make_shared<const RE2>(keyword.getString(), options);
  if (!pattern->ok()) throw std::runtime_error("pattern: " + pattern->error());
  return [pattern](const Adapter& value) {
    if (!value.isString() || RE2::PartialMatch(value.getString(), *pattern)) return std::string();
    return "it does not match the pattern " + pattern->pattern();
  };
}

std::int64_t LengthIn(const Adapter& keyword) {
  if (!keyword.isInteger() || keyword.getInteger() < 0) {
    throw std::runtime_error("a length is a whole number, not negative");
  }
  return keyword.getInteger();
}

Rule MinLengthRule(const Adapter& keyword) {
  return [least = LengthIn(keyword)](const Adapter& value) {
    if (!value.isString() || Characters(value.getString()) >= least) return std::string();
    return "it has fewer than " + std::to_string(least) + " characters";
  };
}

Rule MaxLengthRule(const Adapter& keyword) {
  return [most = LengthIn(keyword)](const Adapter& value) {
    if (!value.isString() || Characters(value.getString()) <= most) return std::string();
    return "it has more than " + std::to_string(most) + " characters";
  };
}

Rule MultipleRule(const Adapter& keyword) {
  const double of = keyword.isNumber() ? keyword.getNumber() : 0;
  if (!(of > 0)) throw std::runtime_error("multipleOf is a positive number");
  return [of](const Adapter& value) {
    if (!value.isNumber()) return std::string();
    // 0.3 is one of 0.1, as far as a double can tell.
    const double count = value.getNumber() / of;
    if (std::fabs(count - std::round(count)) <= 1e-9 * std::fmax(1, std::fabs(count))) {
      return std::string();
    }
    return "it is no multiple of " + std::to_string(of);
  };
}

struct OwnRule {
  std::string_view keyword;
  RuleBuilder::Make make;
};
constexpr OwnRule kRules[] = {{"pattern", PatternRule},
                              {"minLength", MinLengthRule},
                              {"maxLength", MaxLengthRule},
                              {"multipleOf", MultipleRule}};

}  // namespace

bool IsOwnRule(std::string_view keyword) {
  return std::any_of(std::begin(kRules), std::end(kRules),
                     [&](const OwnRule& rule) { return rule.keyword == keyword; });
}

std::string OwnRuleName(std::string_view keyword) { return "own:" + std::string(keyword); }

void AddOwnRules(valijson::SchemaParser& parser) {
  for (const OwnRule& rule : kRules) {
    parser.addConstraintBuilder(OwnRuleName(rule.keyword), new RuleBuilder(rule.make));
  }
}

}  // namespace mcp_session
