#include "rewards/code/language.h"

namespace r1::rewards::code {
namespace {

const Language* const kLanguages[]{&kPython, &kCpp};

}  // namespace

const Language* find_language(std::string_view name) {
  for (const auto* language : kLanguages) {
    for (const auto fence : language->fences) {
      if (fence == name) return language;
    }
  }
  return nullptr;
}

std::string language_names() {
  std::string names;
  for (const auto* language : kLanguages) names.append(names.empty() ? "" : ", ").append(language->name);
  return names;
}

}  // namespace r1::rewards::code
