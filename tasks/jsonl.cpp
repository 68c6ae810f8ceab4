#include "tasks/jsonl.h"

#include <fmt/format.h>

#include <cmath>
#include <memory>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/files.h"
#include "core/hash.h"
#include "core/json.h"
#include "core/json_raw.h"
#include "tasks/generator.h"

namespace r1::tasks {
namespace {

namespace bj = json::bj;

constexpr std::string_view kBlank = " \t\r";
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

[[noreturn]] void fail(const std::string& where, const std::string& what, const std::string& mend) {
  throw Error(where, what, mend);
}

std::string kind_name(const bj::value& v) { return std::string(bj::to_string(v.kind())); }

std::string text_of(const bj::object& row, std::string_view key, const std::string& where) {
  const auto& value = row.at(key);
  if (!value.is_string()) {
    fail(where, fmt::format("key '{}' is {}, not a string", key, kind_name(value)), "write it as a string");
  }
  if (value.get_string().empty()) {
    fail(where, fmt::format("key '{}' is empty", key), "give it a text, or take the line out");
  }
  return std::string(value.get_string());
}

// A double keeps 15 decimal digits for sure: what needs more to be told may not be the number that was written.
std::string number_text(double value, const std::string& where) {
  auto text = fmt::format("{}", value);
  size_t num_digits = 0;
  for (const char c : text.substr(0, text.find('e'))) num_digits += c >= '0' && c <= '9';
  if (num_digits > 15 || !std::isfinite(value)) {
    fail(where, fmt::format("key 'answer' is a number that a double does not hold exactly (read as {})", text),
         "write the answer as a string");
  }
  return text;
}

std::string answer_of(const bj::object& row, const std::string& where) {
  const auto* value = row.if_contains("answer");
  if (value == nullptr || value->is_null()) {
    fail(where, "key 'answer' is missing", "add the answer key as a string, a number or JSON");
  }
  if (value->is_string()) return text_of(row, "answer", where);
  if (value->is_double()) return number_text(value->get_double(), where);
  return json::dump(*value);
}

std::vector<Message> messages_of(const bj::object& row, const std::string& where) {
  std::vector<Message> messages;
  for (const auto& item : json::get_array(row, "messages", where)) {
    const auto place = fmt::format("{}: messages[{}]", where, messages.size());
    if (!item.is_object())
      fail(place, fmt::format("is {}, not an object", kind_name(item)), "give it role and content");
    Message message{.role = json::get_string(item.get_object(), "role", place),
                    .content = json::get_string(item.get_object(), "content", place)};
    const auto& role = message.role;
    if (role != "system" && role != "user" && role != "assistant" && role != "tool") {
      fail(place, fmt::format("role is '{}'", role), "use system, user, assistant or tool");
    }
    messages.push_back(std::move(message));
  }
  if (messages.empty()) fail(where, "key 'messages' is an empty array", "give it at least one message");
  return messages;
}

std::string id_of(const bj::object& row, const std::string& where) {
  const auto* value = row.if_contains("id");
  if (value == nullptr || value->is_null()) return where;
  if (value->is_int64() || value->is_uint64()) return json::dump(*value);
  return text_of(row, "id", where);
}

std::string task_of(const bj::object& row, const std::string& where, const JsonlOptions& options) {
  const auto* value = row.if_contains("task");
  if (value != nullptr && !value->is_null()) return text_of(row, "task", where);
  if (!options.default_task.empty()) return options.default_task;
  fail(where, "key 'task' is missing", "add it, for example \"task\": \"number\", or set a default task");
}

bool is_blank(std::string_view line) { return line.find_first_not_of(kBlank) == line.npos; }

uint64_t question_hash(const Question& question) {
  uint64_t hash = hash64(question.text);
  for (const auto& message : question.messages) hash = hash64(message.content, hash64(message.role, hash));
  return hash;
}

// Ids seen, by hash; a hash seen before is settled by `id_at_line`, so two ids of one hash are no duplicates.
class IdCheck {
 public:
  void add(const std::string& id, int64_t line, const std::string& where,
           const std::function<std::string(int64_t line)>& id_at_line) {
    const auto [begin, end] = lines_.equal_range(hash64(id));
    for (auto it = begin; it != end; ++it) {
      if (id_at_line(it->second) != id) continue;
      fail(where, fmt::format("key 'id' is '{}', which line {} has too", shortened(id), it->second), "make ids unique");
    }
    lines_.emplace(hash64(id), line);
  }

 private:
  static std::string shortened(const std::string& id) { return id.size() <= 80 ? id : id.substr(0, 80) + "..."; }
  std::unordered_multimap<uint64_t, int64_t> lines_;
};

// A mapped file and where its lines begin.
class Lines {
 public:
  explicit Lines(const std::filesystem::path& path) : file_(path) {
    const auto bytes = file_.bytes();
    text_ = {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
    if (text_.starts_with(kByteOrderMark)) text_.remove_prefix(kByteOrderMark.size());
  }

  // The line that begins at `offset`, without its newline.
  std::string_view at(size_t offset) const { return text_.substr(offset, text_.find('\n', offset) - offset); }
  size_t size() const { return text_.size(); }
  std::string where(int64_t number) const { return fmt::format("{}:{}", file_.path().string(), number); }

 private:
  MappedFile file_;
  std::string_view text_;
};

struct Place {
  size_t offset = 0;
  int64_t number = 0;  // of the line, from 1
};

// Checks every line, calls take(place, question) for those of the split.
void scan(const Lines& lines, const JsonlOptions& options, const std::function<void(Place, Question&)>& take) {
  IdCheck ids;
  std::vector<size_t> offsets;
  int64_t num_taken = 0;
  const auto id_at_line = [&](int64_t number) {
    const auto line = lines.at(offsets[static_cast<size_t>(number - 1)]);
    return parse_question(line, lines.where(number), options).id;
  };
  for (size_t offset = 0; offset < lines.size();) {
    const auto line = lines.at(offset);
    offsets.push_back(offset);
    const auto number = static_cast<int64_t>(offsets.size());
    if (!is_blank(line)) {
      auto question = parse_question(line, lines.where(number), options);
      ids.add(question.id, number, lines.where(number), id_at_line);
      if (belongs(question_hash(question), options.split, options.held_out_modulus)) {
        take({offset, number}, question);
        ++num_taken;
      }
    }
    offset += line.size() + 1;
  }
  if (num_taken > 0) return;
  const auto split = options.split == Split::kAll ? "" : fmt::format(" in the split '{}'", to_string(options.split));
  fail(lines.where(static_cast<int64_t>(offsets.size())), fmt::format("the file ends without a question{}", split),
       "give it lines such as {\"prompt\": \"2+3=\", \"answer\": 5, \"task\": \"number\"}");
}

std::string code_answer(const bj::object& row, std::string_view line, const std::string& where) {
  if (row.contains("answer")) fail(where, "has both 'answer' and 'tests'", "take one of them out");
  json::get_object(row, "tests", where);
  const auto language = json::find_string(row, "language", where);
  const auto tests = json::raw_member(line, "tests").value_or("{}");
  return fmt::format("{{{}\"tests\":{}}}",
                     language ? fmt::format("\"language\":{},", json::dump(bj::value(*language))) : "", tests);
}

}  // namespace

std::string answer_key_of(const bj::object& row, std::string_view line, const std::string& where) {
  return row.contains("tests") ? code_answer(row, line, where) : answer_of(row, where);
}

Question parse_question(std::string_view line, const std::string& where, const JsonlOptions& options) {
  const auto document = json::parse(line, where);
  if (!document.is_object()) {
    fail(where, fmt::format("is {}, not a JSON object", kind_name(document)), "give each line one object");
  }
  const auto& row = document.get_object();
  const bool has_prompt = row.contains("prompt"), has_messages = row.contains("messages");
  if (has_prompt == has_messages) {
    fail(where, has_prompt ? "has both 'prompt' and 'messages'" : "key 'prompt' is missing, and 'messages' too",
         "give each line one of them");
  }
  Question question{.id = id_of(row, where), .task = task_of(row, where, options)};
  if (has_prompt) question.text = text_of(row, "prompt", where);
  if (has_messages) question.messages = messages_of(row, where);
  question.answer = answer_key_of(row, line, where);
  const auto* metadata = row.if_contains("metadata");
  if (metadata != nullptr && !metadata->is_null()) question.metadata_json = json::dump(*metadata);
  return question;
}

void for_each_question(const std::filesystem::path& path, const JsonlOptions& options,
                       const std::function<void(Question)>& take) {
  const Lines lines(path);
  scan(lines, options, [&](Place, Question& question) { take(std::move(question)); });
}

QuestionSet jsonl_set(const std::filesystem::path& path, const JsonlOptions& options) {
  const auto lines = std::make_shared<const Lines>(path);
  auto places = std::make_shared<std::vector<Place>>();
  scan(*lines, options, [&](Place place, Question&) { places->push_back(place); });
  const uint64_t size = places->size();
  const auto at = [lines, places = std::shared_ptr<const std::vector<Place>>(std::move(places)),
                   options](uint64_t index) {
    const auto& place = places->at(index);
    return parse_question(lines->at(place.offset), lines->where(place.number), options);
  };
  return {.name = path.filename().string(), .size = size, .at = at};
}

}  // namespace r1::tasks
