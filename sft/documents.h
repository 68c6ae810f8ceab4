#pragma once
// What a model is trained on: documents of token ids by index, with the share of each that is learnt from.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "tasks/traces.h"
#include "text/tokenizer.h"

namespace r1::sft {

// Tokens before `first_target` are context only: nothing is learnt from predicting them.
struct Document {
  std::vector<int32_t> token_ids;
  int32_t first_target = 1;
};

// Documents by index; at() is pure and thread-safe. size 0: endless.
struct DocumentSet {
  std::string name;
  uint64_t size = 0;
  std::function<Document(uint64_t index)> at;
};

enum class LearnFrom { kAll, kCompletion };

// Synthetic Countdown traces (tasks/traces.h), each ended by `eos`.
DocumentSet trace_documents(const tasks::TraceOptions& options, uint64_t seed, const text::Tokenizer& tokenizer,
                            int32_t eos, LearnFrom learn_from);

// Text files (blank lines part documents) and .jsonl files (key "text", or "prompt" and "completion"); a document longer than
// max_tokens becomes several. Throws Error naming file and line for lines that cannot be read, and for an empty set.
struct FileOptions {
  std::vector<std::string> files;
  int64_t max_tokens = 1024;
  LearnFrom learn_from = LearnFrom::kAll;
};
DocumentSet file_documents(const FileOptions& options, const text::Tokenizer& tokenizer, int32_t eos);

// Where an endless walk over a set stands; each epoch has an order of its own.
struct DocumentCursor {
  uint64_t epoch = 0, position = 0;
};
Document next_document(const DocumentSet& set, uint64_t seed, DocumentCursor& cursor);

}  // namespace r1::sft
