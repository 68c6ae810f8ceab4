#pragma once
// One rendering of a template: walks the syntax tree with a stack of scopes.

#include <map>
#include <string>
#include <vector>

#include "text/jinja.h"
#include "text/jinja_ast.h"
#include "text/jinja_functions.h"

namespace r1::text::jinja {

class Evaluator {
 public:
  Evaluator(const std::string& name, const std::map<std::string, Value>& variables, const Limits& limits);
  std::string run(const std::vector<Statement>& body);

 private:
  // What stands after a statement: the next one, or a loop's end or next turn.
  enum class Flow { kNext, kBreak, kContinue };
  using Scope = std::map<std::string, Value, std::less<>>;

  Flow execute(const std::vector<Statement>& body);
  Flow execute(const Statement& s);
  // Counts what is being executed and evaluated, to bound the stack.
  struct Nesting {
    explicit Nesting(Evaluator& e);
    ~Nesting() { --evaluator.nesting_; }
    Evaluator& evaluator;
  };
  Flow dispatch(const Statement& s);
  Flow run_for(const Statement& s);
  std::vector<Value> loop_items(const Statement& s);
  Scope loop_scope(const Statement& s, const Value& item) const;
  void set(const Statement& s);
  void set_attribute(const Statement& s, Value value);
  void assign(const std::vector<std::string>& names, const Value& value, Scope& scope) const;
  // What `body` prints, as text.
  std::string captured(const std::vector<Statement>& body);
  void print(const Value& value);

  Value evaluate(const Expression& e);
  Value evaluate_or_none(const ExpressionPtr& e) { return e ? evaluate(*e) : Value(); }
  Value name(const std::string& name) const;
  Value list(const Expression& e);
  Value dict(const Expression& e);
  Value compare(const Expression& e);
  Value call(const Expression& e);
  Value call_macro(const Statement& macro, const Arguments& arguments);
  Arguments arguments_of(const Expression& e);

  const std::string& name_;
  const Limits& limits_;
  Budget budget_;
  std::vector<Scope> scopes_;
  std::string output_;
  int nesting_ = 0, macro_depth_ = 0;
  int64_t now_;
};

}  // namespace r1::text::jinja
