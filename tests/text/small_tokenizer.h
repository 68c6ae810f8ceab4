#pragma once
// A tokenizer.json small enough to read, which tests change.

#include "core/json.h"

namespace r1::text {

// Eight tokens, two merges (one in either spelling), and two added tokens.
inline json::bj::object small_tokenizer_json() {
  return json::parse(R"json({
    "version": "1.0", "truncation": null, "padding": null,
    "added_tokens": [
      {"id": 8, "content": "<s>", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true},
      {"id": 9, "content": "<think>", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": false}
    ],
    "normalizer": null,
    "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true},
    "post_processor": null,
    "decoder": {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true},
    "model": {"type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": null,
      "end_of_word_suffix": null, "fuse_unk": false, "byte_fallback": false, "ignore_merges": false,
      "vocab": {"a": 0, "b": 1, "c": 2, "<": 3, ">": 4, "ab": 5, "abc": 6, "s": 7},
      "merges": ["a b", ["ab", "c"]]}
  })json",
                     "small tokenizer")
      .as_object();
}

}  // namespace r1::text
