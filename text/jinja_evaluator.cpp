#include "text/jinja_evaluator.h"

#include <fmt/format.h>

#include <ctime>

#include "core/error.h"
#include "text/jinja_parser.h"

namespace r1::text::jinja {

using Kind = Expression::Kind;

// Statements, expressions and macro calls that may be open at once: about a megabyte of stack.
constexpr int kMaxNesting = 1000;

Evaluator::Nesting::Nesting(Evaluator& e) : evaluator(e) {
  if (++e.nesting_ > kMaxNesting)
    fail(fmt::format("nests more than {} deep", kMaxNesting), "nest blocks and macros less");
}

Evaluator::Evaluator(const std::string& name, const std::map<std::string, Value>& variables, const Limits& limits)
    : name_(name), limits_(limits), budget_(limits.max_work), now_(limits.now ? *limits.now : std::time(nullptr)) {
  scopes_.push_back(Scope(variables.begin(), variables.end()));
}

std::string Evaluator::run(const std::vector<Statement>& body) {
  execute(body);
  return std::move(output_);
}

Evaluator::Flow Evaluator::execute(const std::vector<Statement>& body) {
  for (const auto& s : body) {
    if (const auto flow = execute(s); flow != Flow::kNext) return flow;
  }
  return Flow::kNext;
}

// Puts the line into errors that do not know theirs.
Evaluator::Flow Evaluator::execute(const Statement& s) {
  try {
    const Nesting nesting(*this);
    budget_.spend(1);
    return dispatch(s);
  } catch (const Error& e) {
    if (e.where != kSomewhere) throw;
    throw Error(fmt::format("{}:{}", name_, s.line), e.problem, e.mend);
  }
}

Evaluator::Flow Evaluator::dispatch(const Statement& s) {
  switch (s.kind) {
    case Statement::Kind::kText:
      print(s.text);
      break;
    case Statement::Kind::kOutput:
      print(evaluate(*s.expression));
      break;
    case Statement::Kind::kIf:
      return execute(truthy(evaluate(*s.expression)) ? s.body : s.otherwise);
    case Statement::Kind::kFor:
      return run_for(s);
    case Statement::Kind::kSet:
      set(s);
      break;
    case Statement::Kind::kSetBlock:
      scopes_.back()[s.names[0]] = captured(s.body);
      break;
    case Statement::Kind::kMacro:
      scopes_.back()[s.text] = Callable{s.text, &s};
      break;
    case Statement::Kind::kBody:
      return execute(s.body);
    case Statement::Kind::kBreak:
      return Flow::kBreak;
    case Statement::Kind::kContinue:
      return Flow::kContinue;
  }
  return Flow::kNext;
}

void Evaluator::print(const Value& value) {
  output_ += to_text(value, budget_);
  if (static_cast<int64_t>(output_.size()) > limits_.max_output_bytes) {
    fail(fmt::format("prints more than {} bytes", limits_.max_output_bytes), "shorten the conversation");
  }
}

std::string Evaluator::captured(const std::vector<Statement>& body) {
  auto outer = std::exchange(output_, {});
  execute(body);
  return std::exchange(output_, std::move(outer));
}

// The items that the loop's filter lets through; the filter sees the loop's variables.
std::vector<Value> Evaluator::loop_items(const Statement& s) {
  auto items = items_of(evaluate(*s.expression), budget_);
  if (!s.filter) return items;
  std::vector<Value> kept;
  for (auto& item : items) {
    scopes_.push_back(loop_scope(s, item));
    const bool holds = truthy(evaluate(*s.filter));
    scopes_.pop_back();
    if (holds) kept.push_back(std::move(item));
  }
  return kept;
}

Evaluator::Scope Evaluator::loop_scope(const Statement& s, const Value& item) const {
  Scope scope;
  assign(s.names, item, scope);
  return scope;
}

Evaluator::Flow Evaluator::run_for(const Statement& s) {
  auto list = std::make_shared<const List>(List{.items = loop_items(s)});
  if (list->items.empty()) return execute(s.otherwise);
  const auto length = static_cast<int64_t>(list->items.size());
  for (int64_t i = 0; i < length; ++i) {
    scopes_.push_back(loop_scope(s, list->items[static_cast<size_t>(i)]));
    scopes_.back()["loop"] = Loop{.index0 = i, .length = length, .items = list};
    const auto flow = execute(s.body);
    scopes_.pop_back();
    if (flow == Flow::kBreak) break;
  }
  return Flow::kNext;
}

void Evaluator::assign(const std::vector<std::string>& names, const Value& value, Scope& scope) const {
  if (names.size() == 1) {
    scope[names[0]] = value;
    return;
  }
  const auto* items = value.if_list();
  if (!items || items->items.size() != names.size()) {
    fail(fmt::format("{} values for {} variables", items ? std::to_string(items->items.size()) : "no list of",
                     names.size()),
         "give as many values as variables");
  }
  for (size_t i = 0; i < names.size(); ++i) scope[names[i]] = items->items[i];
}

void Evaluator::set(const Statement& s) {
  auto value = evaluate(*s.expression);
  if (s.text == "namespace") return set_attribute(s, std::move(value));
  assign(s.names, value, scopes_.back());
}

void Evaluator::set_attribute(const Statement& s, Value value) {
  const auto target = name(s.names[0]);
  const auto* space = std::get_if<std::shared_ptr<Namespace>>(&target.data);
  if (!space) fail(fmt::format("'{}' is no namespace", s.names[0]), "make it one: {% set ns = namespace() %}");
  if (depth_of(value) >= kNamespaceDepth) {
    fail(fmt::format("'{}.{}' would hold a namespace or nest too deep", s.names[0], s.names[1]), "nest less");
  }
  auto& items = (*space)->attributes.items;
  for (auto& [key, old] : items) {
    if (key != s.names[1]) continue;
    old = std::move(value);
    return;
  }
  items.emplace_back(s.names[1], std::move(value));
}

Value Evaluator::name(const std::string& name) const {
  for (auto scope = scopes_.rbegin(); scope != scopes_.rend(); ++scope) {
    if (const auto found = scope->find(name); found != scope->end()) return found->second;
  }
  if (is_function(name)) return Callable{name, nullptr};
  return Undefined{name};
}

Value Evaluator::evaluate(const Expression& e) {
  const Nesting nesting(*this);
  budget_.spend(1);
  const auto part = [&](size_t i) { return evaluate(*e.parts[i]); };
  switch (e.kind) {
    case Kind::kConstant:
      return e.value;
    case Kind::kName:
      return name(e.text);
    case Kind::kList:
    case Kind::kTuple:
      return list(e);
    case Kind::kDict:
      return dict(e);
    case Kind::kAttribute: {
      const auto value = part(0);
      if (value.if_dict() && is_dict_method(e.text)) fail(fmt::format("method '{}' is not called", e.text), "add ()");
      return attribute_of(value, e.text);
    }
    case Kind::kItem:
      return item_of(part(0), part(1));
    case Kind::kSlice: {
      const auto value = part(0), start = evaluate_or_none(e.parts[1]), stop = evaluate_or_none(e.parts[2]);
      return slice_of(value, start, stop, evaluate_or_none(e.parts[3]), budget_);
    }
    case Kind::kCall:
      return call(e);
    case Kind::kFilter: {
      const auto input = part(0);
      return apply_filter(e.text, input, arguments_of(e), budget_);
    }
    case Kind::kTest: {
      const auto input = part(0);
      return apply_test(e.text, input, arguments_of(e), budget_);
    }
    case Kind::kNegate:
    case Kind::kPlus:
      return binary_operation(e.kind == Kind::kNegate ? "-" : "+", Value(int64_t{0}), part(0), budget_);
    case Kind::kNot:
      return !truthy(part(0));
    case Kind::kAnd: {
      auto left = part(0);
      return truthy(left) ? part(1) : left;
    }
    case Kind::kOr: {
      auto left = part(0);
      return truthy(left) ? left : part(1);
    }
    case Kind::kBinary: {
      const auto left = part(0);
      return binary_operation(e.text, left, part(1), budget_);
    }
    case Kind::kCompare:
      return compare(e);
    case Kind::kConditional:
      if (truthy(part(1))) return part(0);
      return e.parts[2] ? part(2) : Undefined{"the missing else of a conditional"};
  }
  fail("an expression of unknown kind", "report this");
}

Value Evaluator::list(const Expression& e) {
  std::vector<Value> items;
  for (const auto& part : e.parts) items.push_back(evaluate(*part));
  return e.kind == Kind::kTuple ? Value::tuple(std::move(items)) : Value::list(std::move(items));
}

Value Evaluator::dict(const Expression& e) {
  std::vector<std::pair<std::string, Value>> items;
  for (size_t i = 0; i < e.parts.size(); i += 2) {
    const auto key = evaluate(*e.parts[i]);
    if (!key.if_string()) fail(fmt::format("a dict key is {}", type_name(key)), "use strings as keys");
    auto value = evaluate(*e.parts[i + 1]);
    budget_.spend(static_cast<int64_t>(items.size()));
    const auto same = [&](const auto& item) { return item.first == *key.if_string(); };
    if (const auto old = std::find_if(items.begin(), items.end(), same); old != items.end()) {
      old->second = std::move(value);
    } else {
      items.emplace_back(*key.if_string(), std::move(value));
    }
  }
  return Value::dict(std::move(items));
}

// a < b < c is a < b and b < c, with b evaluated once.
Value Evaluator::compare(const Expression& e) {
  auto left = evaluate(*e.parts[0]);
  for (size_t i = 0; i < e.names.size(); ++i) {
    auto right = evaluate(*e.parts[i + 1]);
    const auto& op = e.names[i];
    bool holds = false;
    if (op == "==" || op == "!=") holds = equal(left, right, budget_) == (op == "==");
    if (op == "<") holds = less(left, right, budget_);
    if (op == ">") holds = less(right, left, budget_);
    if (op == "<=") holds = less(left, right, budget_) || equal(left, right, budget_);
    if (op == ">=") holds = less(right, left, budget_) || equal(left, right, budget_);
    if (op == "in" || op == "not in") holds = contains(right, left, budget_) == (op == "in");
    if (!holds) return false;
    left = std::move(right);
  }
  return true;
}

Arguments Evaluator::arguments_of(const Expression& e) {
  Arguments arguments;
  for (size_t i = 1; i < e.parts.size(); ++i) arguments.positional.push_back(evaluate(*e.parts[i]));
  for (const auto& argument : e.named) arguments.named.emplace_back(argument.name, evaluate(*argument.value));
  return arguments;
}

Value Evaluator::call(const Expression& e) {
  const auto& callee = *e.parts[0];
  if (callee.kind == Kind::kAttribute) {
    const auto value = evaluate(*callee.parts[0]);
    return call_method(value, callee.text, arguments_of(e), budget_);
  }
  const auto value = evaluate(callee);
  if (const auto* undefined = std::get_if<Undefined>(&value.data)) {
    fail(fmt::format("function '{}' is not defined", undefined->name), supported_functions());
  }
  const auto* function = std::get_if<Callable>(&value.data);
  if (!function) fail(fmt::format("'{}' object is not callable", type_name(value)), supported_functions());
  const auto arguments = arguments_of(e);
  return function->node ? call_macro(*function->node, arguments)
                        : call_function(function->name, arguments, now_, budget_);
}

// A macro sees its arguments and what the template's top level has set.
Value Evaluator::call_macro(const Statement& macro, const Arguments& arguments) {
  if (macro_depth_ >= limits_.max_macro_depth) {
    fail(fmt::format("macros call each other more than {} deep", limits_.max_macro_depth), "bound the recursion");
  }
  if (arguments.positional.size() > macro.names.size()) {
    fail(fmt::format("macro '{}' takes at most {} arguments", macro.text, macro.names.size()), "give fewer");
  }
  auto outer = std::exchange(scopes_, {});
  budget_.spend(static_cast<int64_t>(outer[0].size()));
  scopes_.push_back(outer[0]);
  Scope scope;
  const size_t first_default = macro.names.size() - macro.defaults.size();
  for (size_t i = 0; i < macro.names.size(); ++i) {
    if (i < arguments.positional.size()) {
      scope[macro.names[i]] = arguments.positional[i];
    } else {
      scope[macro.names[i]] =
          i >= first_default ? evaluate(*macro.defaults[i - first_default]) : Value(Undefined{macro.names[i]});
    }
  }
  for (const auto& [key, value] : arguments.named) {
    if (std::find(macro.names.begin(), macro.names.end(), key) == macro.names.end()) {
      fail(fmt::format("macro '{}' has no argument '{}'", macro.text, key), "remove it");
    }
    scope[key] = value;
  }
  scopes_.push_back(std::move(scope));
  ++macro_depth_;
  auto text = captured(macro.body);
  --macro_depth_;
  scopes_ = std::move(outer);
  return text;
}

struct Template::Parsed {
  std::string name;
  std::vector<Statement> body;
};

Template::Template(std::string_view source, std::string name)
    : parsed_(std::make_unique<Parsed>(Parsed{name, parse(source, name)})) {}
Template::~Template() = default;
Template::Template(Template&&) noexcept = default;
Template& Template::operator=(Template&&) noexcept = default;

std::string Template::render(const std::map<std::string, Value>& variables, const Limits& limits) const {
  return Evaluator(parsed_->name, variables, limits).run(parsed_->body);
}

}  // namespace r1::text::jinja
