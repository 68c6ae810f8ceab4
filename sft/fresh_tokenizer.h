#pragma once
// A tokenizer for a model made from nothing, trained on the documents that the model will see.

#include <cstdint>
#include <string>
#include <vector>

#include "tasks/traces.h"
#include "text/tokenizer.h"

namespace r1::sft {

struct FreshTokenizer {
  tasks::TraceOptions traces;      // the text, if there are no files
  std::vector<std::string> files;  // else the lines of these
  uint64_t seed = 0;
  int64_t vocab_size = 512;
  int64_t max_integer = 0;  // 0 .. max_integer are single tokens; 0: no such promise
  int64_t num_documents = 20000;
};

// Byte-level BPE whose pre-tokenizer keeps digits together; "<|endoftext|>" ends documents. Deterministic.
text::Tokenizer train_tokenizer(const FreshTokenizer& options);

}  // namespace r1::sft
