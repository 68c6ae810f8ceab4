#pragma once
// The comparison's own class, split over compare.cpp (which kinds of answers may be equal), compare_values.cpp (numbers
// and expressions), compare_sets.cpp (lists and sets) and compare_relations.cpp (equations and inequalities).

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "rewards/math/compare.h"

namespace r1::rewards::math {

// A node with what "+-" in it stands for: 1 or -1, or 0 where there is none.
struct Item {
  NodeId node = 0;
  int plus_minus = 0;
};

class Comparer {
 public:
  Comparer(const Ast& ast, Budget& budget, std::optional<Rational> tolerance)
      : ast_(ast), budget_(budget), tolerance_(std::move(tolerance)) {}

  Tri compare(NodeId gold, NodeId answer);
  std::string reason;
  bool has_no_value = false;

 private:
  struct Family {  // all values of expression, as the parameter runs through the integers
    std::vector<Item> expressions;
    std::string parameter;
  };

  // compare.cpp
  Tri compare_kinds(NodeId gold, NodeId answer);
  std::optional<Tri> compare_texts(NodeId gold, NodeId answer);
  std::optional<Tri> compare_definitions(NodeId gold, NodeId answer);
  std::optional<Tri> compare_wrapped(NodeId gold, NodeId answer);
  Tri compare_quantities(NodeId gold, NodeId answer);
  std::optional<Tri> compare_letter_unit(NodeId gold, NodeId answer);
  Tri compare_cases(NodeId gold, NodeId answer);
  Tri compare_conditions(NodeId gold, size_t gold_place, NodeId answer, size_t place);
  Tri compare_ratios(const Node& gold, const Node& answer);
  bool is_definition(NodeId id) const;  // x = ..., f(x) = ..., x \approx ...
  bool is_name(NodeId id) const;
  NodeId defined_value(NodeId id) const;
  bool is_value(NodeId id) const;  // a number, an expression, a matrix
  Tri no(std::string why);
  Tri unknown(std::string why);

  // compare_values.cpp
  Tri compare_values(Item gold, Item answer);
  Tri over_signs(NodeId gold, NodeId answer, const std::function<Tri(Lowering&, Field&)>& decide);
  Tri run(const std::vector<std::string>& negative, const std::function<Tri(Lowering&, Field&)>& decide, bool* relies,
          bool* is_nowhere_real);
  std::vector<std::string> names_in(NodeId a, NodeId b) const;
  bool mentions_imaginary_unit(NodeId id) const;
  Tri within_tolerance(Field& field, const Frac& a, const Frac& b);

  // compare_sets.cpp
  std::optional<Tri> compare_collections(NodeId gold, NodeId answer);
  Tri compare_unordered(const std::vector<Item>& gold, const std::vector<Item>& answer);
  Tri compare_ordered(const std::vector<NodeId>& gold, const std::vector<NodeId>& answer);
  std::optional<Tri> compare_families(NodeId gold, NodeId answer);
  std::optional<Family> family_of(NodeId id) const;
  bool is_same_family_member(Lowering& lowering, Field& field, const Family& f, Item a, const Family& g, Item b);
  std::vector<Item> items_of(NodeId id) const;
  Tri compare_items(const Item& gold, const Item& answer);

  // compare_relations.cpp
  std::optional<Tri> compare_regions(NodeId gold, NodeId answer);
  std::optional<Tri> compare_solutions(NodeId gold, NodeId answer);
  std::optional<Tri> compare_as_regions(NodeId gold, NodeId answer);
  Tri is_rest_of(NodeId condition, const Node& cases, NodeId otherwise);
  std::optional<Region> region_of(NodeId id, Lowering& lowering, Field& field, const std::string& variable);
  std::optional<Region> region_of_list(const Node& node, Lowering& lowering, Field& field, const std::string& variable);
  std::optional<Region> region_of_relation(const Node& node, Lowering& lowering, Field& field,
                                           const std::string& variable);
  std::optional<Region> solve(Lowering& lowering, Field& field, NodeId left, char sign, NodeId right,
                              const std::string& variable);
  std::optional<Region> solve_bars(Lowering& lowering, Field& field, NodeId left, char sign, NodeId right,
                                   const std::string& variable);
  bool is_region_like(NodeId id) const;
  bool has_set_form(NodeId id) const;
  Tri compare_relations(NodeId gold, NodeId answer);
  Tri compare_single_relations(NodeId gl, char gs, NodeId gr, NodeId al, char as, NodeId ar);
  Tri compare_zero_sets(Lowering& lowering, Field& field, const Poly& gold, const Poly& answer);
  Tri same_up_to_factor(Field& field, const Poly& gold, const Poly& answer, Poly* gold_factor, Poly* answer_factor);
  Tri differ_at_a_point(Field& field, const Poly& zero_of, const Poly& other);

  const Ast& ast_;
  Budget& budget_;
  std::optional<Rational> tolerance_;
  int depth_ = 0;
};

}  // namespace r1::rewards::math
