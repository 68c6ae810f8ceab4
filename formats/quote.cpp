#include "formats/quote.h"

#include "core/log.h"

namespace r1::formats {

std::string quote_name(std::string_view name) {
  constexpr size_t kHead = 100, kTail = 20;
  if (name.size() <= kHead + kTail + 3) return "'" + log::printable(name) + "'";
  return "'" + log::printable(name.substr(0, kHead)) + "..." + log::printable(name.substr(name.size() - kTail)) + "'";
}

}  // namespace r1::formats
