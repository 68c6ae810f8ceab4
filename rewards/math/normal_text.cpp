#include "rewards/math/normal_text.h"

#include <algorithm>
#include <vector>

#include "rewards/math/compare.h"
#include "rewards/math/parser.h"
#include "rewards/math/text_answer.h"

namespace r1::rewards::math {
namespace {

constexpr size_t kMaxWorkedOut = 200;  // bytes of an answer
constexpr size_t kMaxKept = 400;
constexpr int64_t kMaxNormalOps = 2'000;

std::string squeezed(std::string_view text) {
  std::string result;
  for (size_t i = 0; i < text.size() && result.size() < kMaxKept; ++i) {
    for (const std::string_view filler :
         {"\\left", "\\right", "\\,", "\\;", "\\!", "\\ ", "\\quad", "\\displaystyle"}) {
      if (text.substr(i, filler.size()) == filler) i += filler.size();
    }
    if (i >= text.size()) break;
    const char c = text[i];
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '$') continue;
    result += c;
  }
  return result;
}

std::string text_of(const Field& field, const Poly& p);

std::string text_of(const Field& field, const Frac& x) {
  if (x.below.is_one()) return text_of(field, x.above);
  return "(" + text_of(field, x.above) + ")/(" + text_of(field, x.below) + ")";
}

std::string name_of(const Field& field, AtomId id) {
  const auto& atom = field.atom(id);
  switch (atom.kind) {
    case AtomKind::kMinusOne:
      return "(-1)";
    case AtomKind::kPi:
      return "pi";
    case AtomKind::kE:
      return "e";
    case AtomKind::kInfinity:
      return "oo";
    case AtomKind::kSymbol:
      return atom.name;
    case AtomKind::kInteger:
      return atom.base.str();
    case AtomKind::kLog:
      return "log(" + text_of(field, atom.args[0]) + ")";
    case AtomKind::kExpMonomial:
      return "exp(" + text_of(field, Frac(Poly(Term{1, atom.monomial}))) + ")";
    default:
      break;
  }
  std::string text = atom.name + "(";
  for (const auto& arg : atom.args) text += text_of(field, arg) + ";";
  return text + ")";
}

// Terms in the order of their own texts, which does not depend on which variable was met first.
std::string text_of(const Field& field, const Poly& p) {
  std::vector<std::string> terms;
  for (const auto& term : p.terms()) {
    std::vector<std::string> factors;
    for (const auto& [atom, exponent] : term.monomial) {
      auto text = name_of(field, atom);
      if (!(exponent == Exponent{1, 1})) text += "^(" + to_rational(exponent).to_string() + ")";
      factors.push_back(std::move(text));
    }
    std::sort(factors.begin(), factors.end());
    std::string text;
    if (factors.empty() || !term.coefficient.is_one()) text = term.coefficient.to_string();
    for (const auto& factor : factors) text += (text.empty() ? "" : "*") + factor;
    terms.push_back(std::move(text));
  }
  std::sort(terms.begin(), terms.end());
  std::string text;
  for (const auto& term : terms) text += (text.empty() || term[0] == '-' ? "" : "+") + term;
  return text.empty() ? "0" : text;
}

}  // namespace

std::string canonical_text(const Ast& ast, NodeId id, Budget& budget) {
  Field field(budget);
  Lowering lowering(ast, field);
  const auto& node = ast[id];
  if (node.kind == NodeKind::kRelation && node.text == "=" && ast[node.children[0]].kind == NodeKind::kSymbol) {
    return canonical_text(ast, node.children[1], budget);
  }
  const auto value = lowering.value(id);
  return value.is_matrix() ? std::string() : text_of(field, value.scalar());
}

std::string normal_text(std::string_view answer) {
  answer = unwrapped(answer);
  if (is_words(answer)) return normalized_words(answer).substr(0, kMaxKept);
  if (answer.size() <= kMaxWorkedOut) {
    try {
      Ast ast;
      const auto parsed = parse(answer, CommaStyle::kThousands, ast);
      Budget budget(kMaxNormalOps);
      const auto text = canonical_text(ast, parsed.root, budget);
      if (!text.empty() && text.size() <= kMaxKept) return text;
    } catch (const ParseError&) {
    } catch (const Overrun&) {
    } catch (const Undefined&) {
    }
  }
  return squeezed(answer);
}

}  // namespace r1::rewards::math
