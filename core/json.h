#pragma once
// Boost.JSON with errors that name the file and line, and readers that name the key.

#include <boost/json.hpp>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace r1::json {

namespace bj = boost::json;

// Parses one document; `where` (a file, or file:line) opens the error, which tells line and column within the text.
bj::value parse(std::string_view text, const std::string& where);
bj::value parse_file(const std::filesystem::path& path);

// Fields of an object. The required forms throw Error "WHERE: key 'k' ..." if missing or of another type; the optional
// forms give nothing if the key is missing or null and throw if it has another type. Integers accept 3 and 3.0.
int64_t get_int(const bj::object& o, std::string_view key, const std::string& where);
double get_double(const bj::object& o, std::string_view key, const std::string& where);
bool get_bool(const bj::object& o, std::string_view key, const std::string& where);
std::string get_string(const bj::object& o, std::string_view key, const std::string& where);
const bj::object& get_object(const bj::object& o, std::string_view key, const std::string& where);
const bj::array& get_array(const bj::object& o, std::string_view key, const std::string& where);
std::optional<int64_t> find_int(const bj::object& o, std::string_view key, const std::string& where);
std::optional<double> find_double(const bj::object& o, std::string_view key, const std::string& where);
std::optional<bool> find_bool(const bj::object& o, std::string_view key, const std::string& where);
std::optional<std::string> find_string(const bj::object& o, std::string_view key, const std::string& where);

// One line, no spaces; doubles print so that they read back the same.
std::string dump(const bj::value& v);
// Indented by two, keys in their order, a newline at the end.
std::string dump_pretty(const bj::value& v);

}  // namespace r1::json
