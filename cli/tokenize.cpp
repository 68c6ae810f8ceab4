// r1 tokenize: text on standard input -> ids as JSON on standard output, and back.

#include <cstdio>
#include <iostream>
#include <iterator>

#include "cli/commands.h"
#include "cli/options.h"
#include "core/error.h"
#include "core/json.h"

namespace r1::cli {
namespace {

std::vector<int32_t> read_ids(const std::string& text) {
  const auto value = json::parse(text, "standard input");
  if (!value.is_array()) throw Error("standard input", "not a JSON array of token ids", "give ids as [1, 2, 3]");
  std::vector<int32_t> ids;
  for (const auto& element : value.as_array()) {
    if (!element.is_int64() || element.as_int64() < 0 || element.as_int64() > INT32_MAX) {
      throw Error("standard input", fmt::format("element {} is not a token id", ids.size()), "give whole numbers of 0 or more");
    }
    ids.push_back(static_cast<int32_t>(element.as_int64()));
  }
  return ids;
}

}  // namespace

int run_tokenize(int argc, const char* const* argv) {
  std::string path;
  bool decodes = false, adds_specials = false, skips_specials = false;
  CLI::App app("Text on standard input becomes token ids as JSON; --decode goes back.", "r1 tokenize");
  app.add_option("model", path, "tokenizer.json, model folder or .gguf file")->required();
  app.add_flag("--decode", decodes, "ids as JSON on standard input become text");
  app.add_flag("--add-special", adds_specials, "with the ids that the tokenizer's post-processor puts around a text");
  app.add_flag("--skip-special", skips_specials, "with --decode: leave special tokens out");
  if (const auto status = parse(app, argc, argv)) return *status;

  const auto tokenizer = text::Tokenizer::from_file(path);
  const std::string input(std::istreambuf_iterator<char>(std::cin), {});
  if (decodes) {
    const auto text = tokenizer.decode(read_ids(input), skips_specials ? text::SkipSpecial::kYes : text::SkipSpecial::kNo);
    std::fwrite(text.data(), 1, text.size(), stdout);
    return 0;
  }
  json::bj::array ids;
  for (const auto id : tokenizer.encode(input, adds_specials ? text::Specials::kAdd : text::Specials::kNone)) ids.push_back(id);
  fmt::print("{}\n", json::dump(ids));
  return 0;
}

}  // namespace r1::cli
