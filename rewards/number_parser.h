#pragma once
// Spellings of numbers (rewards/number.h) to exact fractions. At most 10,000 digits and exponents to +-10,000.

#include <boost/multiprecision/cpp_int.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace r1::rewards {

struct Number {
  boost::multiprecision::cpp_int numerator = 0;
  boost::multiprecision::cpp_int denominator = 1;  // above 0; no lowest terms
  bool has_percent = false;                        // the value is before division by 100
};

bool operator==(const Number& a, const Number& b);  // has_percent aside

// The whole text as one number, with the wrappings that number.h names.
std::optional<Number> parse_number(std::string_view text);

// One spelling of equal numbers, for votes over answers: "3/4", "-12", "25%". Nothing for numbers of thousands of bits,
// whose lowest terms would cost more than the verdict.
std::string lowest_terms(const Number& number);

// The last number in running text. One that touches a letter or digit (3rd, x2, 1.2.3) is none.
std::optional<Number> find_last_number(std::string_view text);

}  // namespace r1::rewards
