#include "rewards/puzzle/knights.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "rewards/puzzle/exact_json.h"

namespace r1::rewards {
namespace {

using Statement = KnightsKey::Statement;
using Kind = Statement::Kind;

constexpr size_t kMaxAnswer = 4096, kMaxPeople = 64;

// Who tells the truth, and who lies, by the names that data sets use.
constexpr std::array<std::array<std::string_view, 2>, 7> kRoles{{{"knight", "knave"},
                                                                 {"angel", "devil"},
                                                                 {"saint", "sinner"},
                                                                 {"hero", "villain"},
                                                                 {"altruist", "egoist"},
                                                                 {"sage", "fool"},
                                                                 {"pioneer", "laggard"}}};

bool is_word_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '\'' ||
         static_cast<unsigned char>(c) >= 0x80;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (auto& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
  return out;
}

// Words in lower case; nothing if a sign stands there that answers do not have.
std::optional<std::vector<std::string>> words_of(std::string_view text) {
  constexpr std::string_view kSigns = " \t\r\n.,;:()-*=";
  std::vector<std::string> words;
  for (size_t i = 0; i < text.size();) {
    if (!is_word_char(text[i])) {
      if (kSigns.find(text[i++]) == kSigns.npos) return {};
      continue;
    }
    const size_t begin = i;
    while (i < text.size() && is_word_char(text[i])) ++i;
    words.push_back(lower(text.substr(begin, i - begin)));
  }
  return words;
}

struct Claim {
  std::string name, role;
};

// Pairs of a name and a role; nothing if anything else is said.
std::optional<std::vector<Claim>> claims_of(std::string_view text, std::string_view knight, std::string_view knave) {
  const auto words = words_of(text);
  if (!words) return {};
  constexpr std::array<std::string_view, 3> kFillers{"is", "a", "an"};
  std::vector<Claim> claims;
  std::string name;
  for (const auto& word : *words) {
    if (std::ranges::find(kFillers, word) != kFillers.end() && !name.empty()) continue;
    const bool is_number = std::ranges::all_of(word, [](char c) { return c >= '0' && c <= '9'; });
    if (name.empty() && (word == "and" || is_number)) continue;
    if (word == knight || word == knave) {
      if (name.empty()) return {};
      claims.push_back({std::exchange(name, {}), word});
    } else if (name.empty()) {
      name = word;
    } else {
      return {};
    }
  }
  if (!name.empty()) return {};
  return claims;
}

std::optional<size_t> find_person(const std::vector<std::string>& names, std::string_view name) {
  const auto at = std::ranges::find(names, name);
  if (at == names.end()) return {};
  return static_cast<size_t>(at - names.begin());
}

std::optional<KnightsKey> key_of_text(std::string_view text) {
  for (const auto& [knight, knave] : kRoles) {
    const auto claims = claims_of(text, knight, knave);
    if (!claims || claims->empty() || claims->size() > kMaxPeople) continue;
    KnightsKey key{.knight = std::string(knight), .knave = std::string(knave)};
    for (const auto& claim : *claims) {
      if (find_person(key.names, claim.name)) return {};
      key.names.push_back(claim.name);
      key.is_knight.push_back(claim.role == knight);
    }
    return key;
  }
  return {};
}

std::optional<Statement> statement_of(const ExactJson& json, size_t num_people) {
  if (json.kind != ExactJson::Kind::kArray || json.items.size() < 2) return {};
  constexpr std::array<std::string_view, 7> kNames{"telling-truth", "lying", "not", "and", "or", "->", "<=>"};
  const auto name = std::ranges::find(kNames, json.items[0].text);
  if (name == kNames.end() || json.items[0].kind != ExactJson::Kind::kString) return {};
  Statement statement{static_cast<Kind>(name - kNames.begin()), 0, {}};
  const auto num_operands = json.items.size() - 1;
  if (statement.kind <= Kind::kLie) {
    for (; statement.person < num_people; ++statement.person) {
      const auto wanted = parse_exact_json(fmt::format("{}", statement.person));
      if (num_operands == 1 && *wanted.value == json.items[1]) return statement;
    }
    return {};
  }
  const bool fits = statement.kind == Kind::kNot       ? num_operands == 1
                    : statement.kind >= Kind::kImplies ? num_operands == 2
                                                       : true;
  if (!fits) return {};
  for (size_t i = 1; i < json.items.size(); ++i) {
    auto operand = statement_of(json.items[i], num_people);
    if (!operand) return {};
    statement.operands.push_back(std::move(*operand));
  }
  return statement;
}

std::optional<KnightsKey> key_of_json(const ExactJson& json) {
  const auto *names = json.find("names"), *statements = json.find("statements"), *roles = json.find("roles");
  if (names == nullptr || statements == nullptr || names->items.empty() || names->items.size() > kMaxPeople) return {};
  KnightsKey key;
  for (const auto& name : names->items) {
    const auto words = words_of(name.text);
    if (!words || words->size() != 1 || find_person(key.names, (*words)[0])) return {};
    key.names.push_back((*words)[0]);
  }
  if (roles != nullptr) {
    if (roles->items.size() != 2 || roles->items[0].text.empty() || roles->items[1].text.empty()) return {};
    key.knight = lower(roles->items[0].text);
    key.knave = lower(roles->items[1].text);
  }
  if (statements->items.size() != key.names.size()) return {};
  for (const auto& item : statements->items) {
    auto statement = statement_of(item, key.names.size());
    if (!statement) return {};
    key.statements.push_back(std::move(*statement));
  }
  return key;
}

bool holds(const Statement& s, const std::vector<bool>& is_knight) {
  const auto operand = [&](const Statement& o) { return holds(o, is_knight); };
  switch (s.kind) {
    case Kind::kTruth:
      return is_knight[s.person];
    case Kind::kLie:
      return !is_knight[s.person];
    case Kind::kNot:
      return !operand(s.operands[0]);
    case Kind::kAnd:
      return std::ranges::all_of(s.operands, operand);
    case Kind::kOr:
      return std::ranges::any_of(s.operands, operand);
    case Kind::kImplies:
      return !operand(s.operands[0]) || operand(s.operands[1]);
    case Kind::kIff:
      return operand(s.operands[0]) == operand(s.operands[1]);
  }
  return false;
}

Judgement wrong(std::string why) { return {.verdict = Verdict::kWrong, .detail = std::move(why)}; }

}  // namespace

std::optional<KnightsKey> parse_knights_key(std::string_view text) {
  const auto json = parse_exact_json(text);
  return json.value ? key_of_json(*json.value) : key_of_text(text);
}

Judgement check_knights(std::string_view answer, const KnightsKey& key) {
  if (answer.size() > kMaxAnswer) return wrong("the answer is too long");
  const auto claims = claims_of(answer, key.knight, key.knave);
  if (!claims) return wrong(fmt::format("it is no list of people, each {} or {}", key.knight, key.knave));
  std::vector<std::optional<bool>> said(key.names.size());
  for (const auto& [name, role] : *claims) {
    const auto person = find_person(key.names, name);
    if (!person) return wrong("it names somebody who is not there");
    if (said[*person]) return wrong(fmt::format("it names {} twice", key.names[*person]));
    said[*person] = role == key.knight;
  }
  std::vector<bool> is_knight;
  for (size_t i = 0; i < said.size(); ++i) {
    if (!said[i]) return wrong(fmt::format("it does not name {}", key.names[i]));
    is_knight.push_back(*said[i]);
  }
  if (key.statements.empty()) {
    return is_knight == key.is_knight ? Judgement{Verdict::kRight, ""} : wrong("somebody has the other role");
  }
  for (size_t i = 0; i < key.statements.size(); ++i) {
    if (holds(key.statements[i], is_knight) != is_knight[i])
      return wrong(fmt::format("what {} says does not fit", key.names[i]));
  }
  return {Verdict::kRight, ""};
}

}  // namespace r1::rewards
