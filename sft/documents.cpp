#include "sft/documents.h"

#include <algorithm>
#include <memory>

#include "core/error.h"
#include "core/files.h"
#include "core/json.h"
#include "tasks/permutation.h"

namespace r1::sft {
namespace {

Document join(const text::Tokenizer& tokenizer, std::string_view context, std::string_view rest, int32_t eos, LearnFrom learn_from) {
  Document d{.token_ids = tokenizer.encode(context)};
  const auto context_size = static_cast<int32_t>(d.token_ids.size());
  const auto more = tokenizer.encode(rest);
  d.token_ids.insert(d.token_ids.end(), more.begin(), more.end());
  d.token_ids.push_back(eos);
  if (learn_from == LearnFrom::kCompletion) d.first_target = std::max(1, context_size);
  return d;
}

// Cuts at max_tokens; a piece of one token predicts nothing and is dropped.
void add_pieces(std::vector<Document>& out, const Document& whole, int64_t max_tokens) {
  const auto size = std::ssize(whole.token_ids);
  for (int64_t begin = 0; begin < size; begin += max_tokens) {
    const auto end = std::min(begin + max_tokens, size);
    if (end - begin < 2) continue;
    Document piece{.token_ids = {whole.token_ids.begin() + begin, whole.token_ids.begin() + end}};
    piece.first_target = static_cast<int32_t>(std::clamp<int64_t>(whole.first_target - begin, 1, end - begin));
    out.push_back(std::move(piece));
  }
}

class Reader {
 public:
  Reader(const FileOptions& options, const text::Tokenizer& tokenizer, int32_t eos)
      : options_(options), tokenizer_(tokenizer), eos_(eos) {}

  void read(const std::string& file) {
    const bool is_json = file.ends_with(".jsonl");
    for_each_line(file, [&](int64_t number, std::string_view line) {
      if (is_json) {
        if (!line.empty()) add_json(line, fmt::format("{}:{}", file, number));
      } else if (line.empty()) {
        finish_text();
      } else {
        (text_ += line) += '\n';
      }
    });
    finish_text();
  }

  std::vector<Document> take() { return std::move(documents_); }

 private:
  void add_json(std::string_view line, const std::string& where) {
    const auto value = json::parse(line, where);
    if (!value.is_object()) throw Error(where, "not a JSON object", "write {\"text\": ...} on each line");
    const auto& object = value.as_object();
    if (const auto text = json::find_string(object, "text", where)) return add("", *text);
    add(json::get_string(object, "prompt", where), json::get_string(object, "completion", where));
  }
  void finish_text() {
    if (!text_.empty()) add("", text_);
    text_.clear();
  }
  void add(std::string_view context, std::string_view rest) {
    add_pieces(documents_, join(tokenizer_, context, rest, eos_, options_.learn_from), options_.max_tokens);
  }

  const FileOptions& options_;
  const text::Tokenizer& tokenizer_;
  int32_t eos_;
  std::string text_;
  std::vector<Document> documents_;
};

}  // namespace

DocumentSet trace_documents(const tasks::TraceOptions& options, uint64_t seed, const text::Tokenizer& tokenizer, int32_t eos,
                            LearnFrom learn_from) {
  const auto maker = std::make_shared<const tasks::TraceMaker>(options, seed);
  return {.name = "countdown-traces", .at = [maker, tokenizer, eos, learn_from](uint64_t index) {
            const auto trace = maker->make(index);
            return join(tokenizer, trace.prompt, trace.completion, eos, learn_from);
          }};
}

DocumentSet file_documents(const FileOptions& options, const text::Tokenizer& tokenizer, int32_t eos) {
  Reader reader(options, tokenizer, eos);
  for (const auto& file : options.files) reader.read(file);
  const auto documents = std::make_shared<const std::vector<Document>>(reader.take());
  if (documents->empty()) {
    throw Error("pretrain.files", fmt::format("no document in {} files", options.files.size()), "name files that hold text");
  }
  return {.name = "files", .size = documents->size(), .at = [documents](uint64_t index) { return documents->at(index); }};
}

Document next_document(const DocumentSet& set, uint64_t seed, DocumentCursor& cursor) {
  if (set.size == 0) return set.at(cursor.position++);
  const tasks::Permutation order(set.size, mix64(seed ^ mix64(cursor.epoch)));
  auto document = set.at(order(cursor.position));
  if (++cursor.position == set.size) cursor = {.epoch = cursor.epoch + 1, .position = 0};
  return document;
}

}  // namespace r1::sft
