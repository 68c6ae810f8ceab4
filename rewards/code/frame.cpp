#include "rewards/code/frame.h"

#include <fmt/format.h>
#include <sys/random.h>

#include <charconv>

#include "core/error.h"

namespace r1::rewards::code {
namespace {

struct Row {
  std::string_view name;
  Frame::Kind kind;
};

constexpr Row kKinds[]{
    {"value", Frame::Kind::kValue}, {"syntax", Frame::Kind::kSyntax}, {"missing", Frame::Kind::kMissing},
    {"error", Frame::Kind::kError}, {"memory", Frame::Kind::kMemory}, {"unusable", Frame::Kind::kUnusable},
};

Frame broken(std::string why) { return {.kind = Frame::Kind::kBroken, .value = {}, .text = std::move(why)}; }

// The text before `end`, taken off `rest` with it.
std::string_view take_until(std::string_view& rest, char end) {
  const auto at = rest.substr(0, 128).find(end);
  if (at == rest.npos) return {};
  const auto taken = rest.substr(0, at);
  rest.remove_prefix(at + 1);
  return taken;
}

}  // namespace

Frame parse_frame(std::string_view bytes, std::string_view nonce) {
  if (bytes.empty()) return broken("it returned no result");
  auto rest = bytes;
  if (take_until(rest, ' ') != "R1") return broken("what it returned is no result");
  if (take_until(rest, ' ') != nonce || nonce.empty()) return broken("what it returned is not this run's result");
  const auto name = take_until(rest, ' '), digits = take_until(rest, '\n');
  size_t size = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), size);
  if (digits.empty() || read.ec != std::errc() || read.ptr != digits.data() + digits.size()) {
    return broken("what it returned is no result");
  }
  if (size > rest.size()) return broken("its result is cut short");
  if (size < rest.size()) return broken("something follows its result");
  for (const auto& row : kKinds) {
    if (row.name != name) continue;
    if (row.kind != Frame::Kind::kValue)
      return {.kind = row.kind, .value = {}, .text = std::string(rest.substr(0, 1000))};
    auto parsed = parse_value(rest, Syntax::kResult);
    if (!parsed.value) return broken("its result is unreadable: " + parsed.reason);
    return {.kind = row.kind, .value = std::move(*parsed.value), .text = ""};
  }
  return broken("what it returned is no result");
}

std::string make_nonce() {
  unsigned char bytes[16];
  if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes) {
    throw Error("getrandom", "the system gives no random bytes", "run on Linux 3.17 or later");
  }
  std::string nonce;
  for (const auto byte : bytes) nonce += fmt::format("{:02x}", byte);
  return nonce;
}

}  // namespace r1::rewards::code
