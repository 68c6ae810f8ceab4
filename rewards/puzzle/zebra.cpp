#include "rewards/puzzle/zebra.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "rewards/puzzle/exact_json.h"

namespace r1::rewards {
namespace {

using Clue = ZebraKey::Clue;
using Kind = Clue::Kind;
using Houses = std::map<std::string, size_t>;  // value -> house

constexpr size_t kMaxAnswer = 64 << 10, kMaxHouses = 64, kMaxAttributes = 64;
constexpr std::string_view kBlank = " \t\r\n";

Judgement wrong(std::string why) { return {.verdict = Verdict::kWrong, .detail = std::move(why)}; }

std::string_view trim(std::string_view text, std::string_view signs = kBlank) {
  text.remove_prefix(std::min(text.find_first_not_of(signs), text.size()));
  return text.substr(0, text.find_last_not_of(signs) + 1);
}

std::string lower(std::string_view text) {
  std::string out(trim(text));
  for (auto& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
  return out;
}

// A natural number of at most two digits.
std::optional<size_t> number_of(std::string_view text) {
  text = trim(text);
  if (text.empty() || text.size() > 2) return {};
  size_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return {};
    value = value * 10 + static_cast<size_t>(c - '0');
  }
  return value;
}

std::optional<size_t> number_of(const ExactJson& json) {
  for (size_t n = 0; n <= kMaxHouses; ++n) {
    if (json.kind == ExactJson::Kind::kNumber && json == *parse_exact_json(fmt::format("{}", n)).value) return n;
  }
  return {};
}

bool read_attributes(const ExactJson& attributes, ZebraKey& key) {
  if (attributes.members.empty() || attributes.members.size() > kMaxAttributes) return false;
  key.num_houses = attributes.members[0].second.items.size();
  if (key.num_houses == 0 || key.num_houses > kMaxHouses) return false;
  for (const auto& [name, values] : attributes.members) {
    if (values.items.size() != key.num_houses) return false;
    for (const auto& value : values.items) {
      const auto text = lower(value.text);
      if (text.empty() || !key.attribute_of.emplace(text, key.attribute_names.size()).second) return false;
    }
    key.attribute_names.push_back(lower(name));
  }
  return true;
}

std::optional<Clue> clue_of(const ExactJson& json, const ZebraKey& key) {
  constexpr std::array<std::string_view, 8> kNames{"at",      "not_at",  "same",   "not_same",
                                                   "next_to", "left_of", "before", "apart"};
  if (json.items.size() < 3) return {};
  const auto name = std::ranges::find(kNames, json.items[0].text);
  if (name == kNames.end()) return {};
  Clue clue{static_cast<Kind>(name - kNames.begin()), lower(json.items[1].text), "", 0};
  if (!key.attribute_of.contains(clue.a)) return {};
  if (clue.kind <= Kind::kNotAt) {
    const auto house = number_of(json.items[2]);
    if (!house || *house < 1 || *house > key.num_houses || json.items.size() != 3) return {};
    clue.number = *house - 1;
    return clue;
  }
  clue.b = lower(json.items[2].text);
  if (!key.attribute_of.contains(clue.b)) return {};
  if (clue.kind != Kind::kApart) return json.items.size() == 3 ? std::optional(clue) : std::nullopt;
  const auto between = json.items.size() == 4 ? number_of(json.items[3]) : std::nullopt;
  if (!between) return {};
  clue.number = *between;
  return clue;
}

bool read_solution(const ExactJson& solution, ZebraKey& key) {
  for (const auto& [value, house] : solution.members) {
    const auto number = number_of(house);
    if (!number || *number < 1 || *number > key.num_houses || !key.attribute_of.contains(lower(value))) return false;
    key.solution[lower(value)] = *number - 1;
  }
  return key.solution.size() == key.attribute_of.size();
}

// Which house each value is in, as it is read.
class Reader {
 public:
  explicit Reader(const ZebraKey& key) : key_(key) {}

  // What went wrong; empty if every value has its house, and every house its values.
  std::string read(std::string_view answer) {
    const auto json = parse_exact_json(answer);
    if (json.value) {
      read_json(*json.value);
    } else {
      read_lines(answer);
    }
    if (problem_.empty() && houses_.size() != key_.attribute_of.size()) fail("not every value has a house");
    return problem_;
  }

  const Houses& houses() const { return houses_; }

 private:
  void fail(std::string what) {
    if (problem_.empty()) problem_ = std::move(what);
  }

  // "House 3", "3", "#3": from 0.
  std::optional<size_t> house_of(std::string_view label) const {
    auto text = lower(trim(label, " \t\r\n*#.:)"));
    if (text.starts_with("house")) text = text.substr(5);
    const auto number = number_of(trim(text, " \t#_"));
    if (!number || *number < 1 || *number > key_.num_houses) return {};
    return *number - 1;
  }

  bool is_attribute(std::string_view text) const {
    return std::ranges::find(key_.attribute_names, lower(text)) != key_.attribute_names.end();
  }

  // A value, maybe behind its attribute's name.
  void put(std::string_view cell, size_t house) {
    cell = trim(cell, " \t\r\n*.");
    const auto sign = cell.find_first_of(":=");
    if (sign != cell.npos) {
      const auto name = std::ranges::find(key_.attribute_names, lower(trim(cell.substr(0, sign), " \t*")));
      const auto value = key_.attribute_of.find(lower(trim(cell.substr(sign + 1), " \t*")));
      if (name == key_.attribute_names.end() || value == key_.attribute_of.end() ||
          value->second != static_cast<size_t>(name - key_.attribute_names.begin())) {
        return fail(fmt::format("house {} has what is no value of the puzzle", house + 1));
      }
      return put_value(value->first, house);
    }
    put_value(lower(cell), house);
  }

  void put_value(const std::string& value, size_t house) {
    const auto known = key_.attribute_of.find(value);
    if (known == key_.attribute_of.end())
      return fail(fmt::format("house {} has what is no value of the puzzle", house + 1));
    if (!houses_.emplace(value, house).second) return fail(fmt::format("'{}' stands twice", value));
    if (!taken_.emplace(std::pair(known->second, house), true).second) {
      fail(fmt::format("house {} has two values of one attribute", house + 1));
    }
  }

  void read_json(const ExactJson& json) {
    std::vector<bool> is_seen(key_.num_houses);
    const auto house = [&](std::optional<size_t> number, const ExactJson& content) {
      if (!number || is_seen[*number]) return fail("its houses are not numbered from 1, each once");
      is_seen[*number] = true;
      for (const auto& item : content.items) put_json(item, "", *number);
      for (const auto& [name, item] : content.members) put_json(item, name, *number);
    };
    if (json.kind == ExactJson::Kind::kArray && json.items.size() == key_.num_houses) {
      for (size_t i = 0; i < json.items.size(); ++i) house(i, json.items[i]);
    } else if (json.kind == ExactJson::Kind::kObject) {
      for (const auto& [label, content] : json.members) house(house_of(label), content);
    } else {
      fail("it is no list of the houses");
    }
  }

  void put_json(const ExactJson& item, const std::string& name, size_t house) {
    const bool is_number = item.kind == ExactJson::Kind::kNumber;
    if (is_number && lower(name) == "house" && number_of(item) == house + 1) return;
    if (item.kind != ExactJson::Kind::kString) return fail("a value is no text");
    if (!name.empty() && !is_attribute(name)) return fail("an attribute has another name");
    put(name.empty() ? item.text : name + ":" + item.text, house);
  }

  void read_lines(std::string_view text) {
    while (!text.empty() && problem_.empty()) {
      const auto line = text.substr(0, text.find('\n'));
      text.remove_prefix(std::min(text.size(), line.size() + 1));
      const auto shown = trim(line, " \t\r|-*");
      if (!shown.empty()) read_line(shown, line.find('|') != line.npos);
    }
  }

  void read_line(std::string_view line, bool is_table) {
    const auto label_end = is_table ? line.find('|') : line.find_first_of(":.");
    if (label_end == line.npos) return fail("a line is no house");
    const auto house = house_of(line.substr(0, label_end));
    const bool is_ruler = line.find_first_not_of("|-: \t") == line.npos;
    if (!house && is_table && houses_.empty() && (is_ruler || lower(line.substr(0, label_end)) == "house")) return;
    if (!house) return fail("a line is no house");
    auto rest = line.substr(label_end + 1);
    while (!rest.empty()) {
      const auto cell = rest.substr(0, is_table ? rest.find('|') : rest.find_first_of(",;"));
      put(cell, *house);
      rest.remove_prefix(std::min(rest.size(), cell.size() + 1));
    }
  }

  const ZebraKey& key_;
  Houses houses_;
  std::map<std::pair<size_t, size_t>, bool> taken_;  // attribute and house
  std::string problem_;
};

bool holds(const Clue& clue, const Houses& houses) {
  const auto a = static_cast<int>(houses.at(clue.a));
  if (clue.kind <= Kind::kNotAt) return (a == static_cast<int>(clue.number)) == (clue.kind == Kind::kAt);
  const auto b = static_cast<int>(houses.at(clue.b));
  switch (clue.kind) {
    case Kind::kSame:
      return a == b;
    case Kind::kNotSame:
      return a != b;
    case Kind::kNextTo:
      return std::abs(a - b) == 1;
    case Kind::kLeftOf:
      return b - a == 1;
    case Kind::kBefore:
      return a < b;
    default:
      return std::abs(a - b) == static_cast<int>(clue.number) + 1;
  }
}

}  // namespace

std::optional<ZebraKey> parse_zebra_key(std::string_view text) {
  ZebraKey key;
  const auto json = parse_exact_json(text);
  const auto* attributes = json.value ? json.value->find("attributes") : nullptr;
  if (attributes == nullptr) {
    key.value = lower(text);
    const bool is_word = !key.value.empty() && (!json.value || json.value->kind <= ExactJson::Kind::kNumber);
    return is_word ? std::optional(key) : std::nullopt;
  }
  if (!read_attributes(*attributes, key)) return {};
  if (const auto* clues = json.value->find("clues")) {
    for (const auto& item : clues->items) {
      auto clue = clue_of(item, key);
      if (!clue) return {};
      key.clues.push_back(std::move(*clue));
    }
  }
  const auto* solution = json.value->find("solution");
  if (solution != nullptr && !read_solution(*solution, key)) return {};
  if (key.clues.empty() && key.solution.empty()) return {};
  return key;
}

Judgement check_zebra(std::string_view answer, const ZebraKey& key) {
  if (answer.size() > kMaxAnswer) return wrong("the answer is too long");
  if (!key.value.empty()) {
    return lower(answer) == key.value ? Judgement{Verdict::kRight, ""} : wrong("it is another value");
  }
  Reader reader(key);
  if (auto problem = reader.read(answer); !problem.empty()) return wrong(std::move(problem));
  for (size_t i = 0; i < key.clues.size(); ++i) {
    if (!holds(key.clues[i], reader.houses())) return wrong(fmt::format("clue {} does not hold", i + 1));
  }
  if (!key.solution.empty() && key.clues.empty() && reader.houses() != key.solution)
    return wrong("it is not the solution");
  return {Verdict::kRight, ""};
}

}  // namespace r1::rewards
