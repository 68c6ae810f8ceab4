// Chat templates of the model families that this program knows, written from what the published ones print.

#include <fmt/ranges.h>

#include <algorithm>

#include "core/error.h"
#include "text/chat.h"

namespace r1::text {
namespace {

struct Family {
  std::string_view name;
  std::string_view source;
};

// <|im_start|>ROLE \n CONTENT <|im_end|> \n, and a system turn of the family's own where the conversation has none.
constexpr std::string_view kQwen = R"jinja(
{%- if messages and messages[0].role != 'system' -%}
{{ '<|im_start|>system\nYou are Qwen, created by Alibaba Cloud. You are a helpful assistant.<|im_end|>\n' }}
{%- endif -%}
{%- for m in messages -%}
{{ '<|im_start|>' ~ m.role ~ '\n' ~ m.content ~ '<|im_end|>\n' }}
{%- endfor -%}
{%- if add_generation_prompt -%}
{{ '<|im_start|>assistant\n' }}
{%- endif -%}
)jinja";

constexpr std::string_view kSmolLm2 = R"jinja(
{%- if messages and messages[0].role != 'system' -%}
{{ '<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n' }}
{%- endif -%}
{%- for m in messages -%}
{{ '<|im_start|>' ~ m.role ~ '\n' ~ m.content ~ '<|im_end|>\n' }}
{%- endfor -%}
{%- if add_generation_prompt -%}
{{ '<|im_start|>assistant\n' }}
{%- endif -%}
)jinja";

constexpr std::string_view kLlama3 = R"jinja(
{%- for m in messages -%}
{{ bos_token if loop.first }}{{ '<|start_header_id|>' ~ m.role ~ '<|end_header_id|>\n\n' ~ m.content | trim ~ '<|eot_id|>' }}
{%- endfor -%}
{%- if add_generation_prompt -%}
{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}
{%- endif -%}
)jinja";

// A system turn with two dates always comes first.
constexpr std::string_view kLlama31 = R"jinja(
{%- set has_system = messages and messages[0].role == 'system' -%}
{{ bos_token }}{{ '<|start_header_id|>system<|end_header_id|>\n\nCutting Knowledge Date: December 2023\nToday Date: ' }}
{{- date_string | default('26 Jul 2024') ~ '\n\n' }}
{{- messages[0].content | trim if has_system }}{{ '<|eot_id|>' }}
{%- for m in (messages[1:] if has_system else messages) -%}
{{ '<|start_header_id|>' ~ m.role ~ '<|end_header_id|>\n\n' ~ m.content | trim ~ '<|eot_id|>' }}
{%- endfor -%}
{%- if add_generation_prompt -%}
{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}
{%- endif -%}
)jinja";

// Every system message comes first; {{ "\uff5c" }} is the fullwidth bar and {{ "\u2581" }} the lower block of its
// tokens.
constexpr std::string_view kDeepSeekV3 = R"jinja(
{{- bos_token ~ messages | selectattr('role', 'equalto', 'system') | map(attribute='content') | join('\n\n') }}
{%- for m in messages -%}
{%- if m.role == 'user' -%}
{{ '<\uff5cUser\uff5c>' ~ m.content }}
{%- elif m.role == 'assistant' -%}
{{ '<\uff5cAssistant\uff5c>' ~ m.content ~ '<\uff5cend\u2581of\u2581sentence\uff5c>' }}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}
{{ '<\uff5cAssistant\uff5c>' }}
{%- endif -%}
)jinja";

// As V3, but earlier answers lose their reasoning and the next one is made to begin with it.
constexpr std::string_view kDeepSeekR1 = R"jinja(
{{- bos_token ~ messages | selectattr('role', 'equalto', 'system') | map(attribute='content') | join('\n\n') }}
{%- for m in messages -%}
{%- if m.role == 'user' -%}
{{ '<\uff5cUser\uff5c>' ~ m.content }}
{%- elif m.role == 'assistant' -%}
{{ '<\uff5cAssistant\uff5c>' ~ m.content.split('</think>')[-1] ~ '<\uff5cend\u2581of\u2581sentence\uff5c>' }}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}
{{ '<\uff5cAssistant\uff5c><think>\n' }}
{%- endif -%}
)jinja";

// As R1, but only the last system message counts.
constexpr std::string_view kDeepSeekR1Distill = R"jinja(
{%- set systems = messages | selectattr('role', 'equalto', 'system') | map(attribute='content') | list -%}
{{ bos_token }}{{ systems | last }}
{%- for m in messages -%}
{%- if m.role == 'user' -%}
{{ '<\uff5cUser\uff5c>' ~ m.content }}
{%- elif m.role == 'assistant' -%}
{{ '<\uff5cAssistant\uff5c>' ~ m.content.split('</think>')[-1] ~ '<\uff5cend\u2581of\u2581sentence\uff5c>' }}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}
{{ '<\uff5cAssistant\uff5c><think>\n' }}
{%- endif -%}
)jinja";

constexpr Family kFamilies[] = {
    {"qwen2.5", kQwen},
    {"smollm2", kSmolLm2},
    {"llama3", kLlama3},
    {"llama3.1", kLlama31},
    {"deepseek-v3", kDeepSeekV3},
    {"deepseek-r1", kDeepSeekR1},
    {"deepseek-r1-distill", kDeepSeekR1Distill},
};

}  // namespace

std::vector<std::string_view> builtin_template_names() {
  std::vector<std::string_view> names;
  for (const auto& family : kFamilies) names.push_back(family.name);
  return names;
}

std::string_view builtin_template(std::string_view family) {
  for (const auto& known : kFamilies) {
    if (known.name == family) return known.source;
  }
  throw Error("chat template", fmt::format("no built-in template '{}'", family),
              fmt::format("use one of {}", fmt::join(builtin_template_names(), ", ")));
}

}  // namespace r1::text
