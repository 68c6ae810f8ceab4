// Calls one C++ function with arguments out of JSON (rewards/code/cpp.cpp puts this before a program). Types come from the
// function's own signature. Nothing here is secret from the program: see harness/run.py.
#include <unistd.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <tuple>
#include <type_traits>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace r1_harness {

struct Reader {
  const char* at;
  void fail() { throw std::runtime_error("the arguments do not fit the function's parameters"); }
  char peek() {
    while (*at == ' ' || *at == '\n' || *at == '\t' || *at == '\r') ++at;
    return *at;
  }
  bool take(char c) { return peek() == c ? ++at, true : false; }
  void expect(char c) {
    if (!take(c)) fail();
  }
};

inline void read(Reader& r, bool& to) {
  r.peek();
  if (std::strncmp(r.at, "true", 4) == 0) {
    r.at += 4, to = true;
  } else if (std::strncmp(r.at, "false", 5) == 0) {
    r.at += 5, to = false;
  } else {
    r.fail();
  }
}

inline void read(Reader& r, std::string& to) {
  r.expect('"');
  to.clear();
  while (*r.at != '"') {
    if (*r.at == '\0') r.fail();
    if (*r.at != '\\') {
      to += *r.at++;
      continue;
    }
    const char c = *++r.at;
    ++r.at;
    if (c == 'u') {
      char digits[5]{};
      std::strncpy(digits, r.at, 4);
      r.at += std::strlen(digits);
      const auto code = std::strtoul(digits, nullptr, 16);  // only control characters come this way
      to += static_cast<char>(code);
    } else {
      to += c;
    }
  }
  ++r.at;
}

template <typename T>
  requires std::is_arithmetic_v<T>
void read(Reader& r, T& to) {
  if (r.peek() == '"' && std::is_same_v<T, char>) {
    std::string text;
    read(r, text);
    if (text.size() != 1) r.fail();
    to = static_cast<T>(text[0]);
    return;
  }
  char* end = nullptr;
  if constexpr (std::is_floating_point_v<T>) {
    to = static_cast<T>(std::strtod(r.at, &end));
  } else if constexpr (std::is_signed_v<T>) {
    to = static_cast<T>(std::strtoll(r.at, &end, 10));
  } else {
    to = static_cast<T>(std::strtoull(r.at, &end, 10));
  }
  if (end == r.at) r.fail();
  r.at = end;
}

template <typename T, typename A> void read(Reader& r, std::vector<T, A>& to);
template <typename T, size_t N> void read(Reader& r, std::array<T, N>& to);
template <typename A, typename B> void read(Reader& r, std::pair<A, B>& to);
template <typename... T> void read(Reader& r, std::tuple<T...>& to);
template <typename T> void read(Reader& r, std::optional<T>& to);
template <typename T> void read_set(Reader& r, T& to);
template <typename T> void read_map(Reader& r, T& to);
template <typename T> void read(Reader& r, std::set<T>& to) { read_set<std::set<T>>(r, to); }
template <typename T> void read(Reader& r, std::unordered_set<T>& to) { read_set<std::unordered_set<T>>(r, to); }
template <typename K, typename V> void read(Reader& r, std::map<K, V>& to) { read_map(r, to); }
template <typename K, typename V> void read(Reader& r, std::unordered_map<K, V>& to) { read_map(r, to); }

template <typename Each> void read_list(Reader& r, const Each& each) {
  const char open = r.peek(), close = open == '[' ? ']' : open == '(' ? ')' : open == '<' ? '>' : '\0';
  if (close == '\0') r.fail();
  ++r.at;
  if (r.take(close)) return;
  do {
    each();
  } while (r.take(','));
  r.expect(close);
}

template <typename T, typename A> void read(Reader& r, std::vector<T, A>& to) {
  to.clear();
  read_list(r, [&] {
    T item{};
    read(r, item);
    to.push_back(std::move(item));
  });
}
template <typename T, size_t N> void read(Reader& r, std::array<T, N>& to) {
  size_t i = 0;
  read_list(r, [&] { read(r, to.at(i++)); });
}
template <typename A, typename B> void read(Reader& r, std::pair<A, B>& to) {
  int i = 0;
  read_list(r, [&] {
    if (i == 0) read(r, to.first);
    if (i == 1) read(r, to.second);
    if (i++ > 1) r.fail();
  });
}
template <typename... T> void read(Reader& r, std::tuple<T...>& to) {
  const char open = r.peek();
  ++r.at;
  size_t i = 0;
  std::apply([&](auto&... items) { ((i++ == 0 ? void() : r.expect(','), read(r, items)), ...); }, to);
  r.expect(open == '(' ? ')' : ']');
}
template <typename T> void read(Reader& r, std::optional<T>& to) {
  if (r.peek() == 'n') {
    r.at += 4;
    to.reset();
    return;
  }
  T item{};
  read(r, item);
  to = std::move(item);
}
template <typename T> void read_set(Reader& r, T& to) {
  read_list(r, [&] {
    typename T::value_type item{};
    read(r, item);
    to.insert(std::move(item));
  });
}
template <typename T> void read_map(Reader& r, T& to) {
  r.expect('{');
  if (r.take('}')) return;
  do {
    typename T::key_type key{};
    typename T::mapped_type value{};
    const bool is_quoted_number = r.peek() == '"' && std::is_arithmetic_v<typename T::key_type> && !std::is_same_v<typename T::key_type, char>;
    if (is_quoted_number) ++r.at;
    read(r, key);
    if (is_quoted_number) r.expect('"');
    r.expect(':');
    read(r, value);
    to.emplace(std::move(key), std::move(value));
  } while (r.take(','));
  r.expect('}');
}

inline void write(std::string& out, bool v) { out += v ? "true" : "false"; }
inline void write(std::string& out, const std::string& v) {
  out += '"';
  for (const char c : v) {
    char text[8];
    if (c == '"' || c == '\\') {
      out += '\\', out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      std::snprintf(text, sizeof text, "\\u%04x", static_cast<unsigned char>(c));
      out += text;
    } else {
      out += c;
    }
  }
  out += '"';
}
inline void write(std::string& out, const char* v) { write(out, std::string(v)); }
inline void write(std::string& out, char v) { write(out, std::string(1, v)); }
template <typename T>
  requires(std::is_arithmetic_v<T> && !std::is_same_v<T, bool> && !std::is_same_v<T, char>)
void write(std::string& out, T v) {
  if constexpr (std::is_floating_point_v<T>) {
    char text[64];
    std::snprintf(text, sizeof text, "%.17g", static_cast<double>(v));
    out += std::isnan(v) ? "nan" : text;
    if (std::isfinite(v) && std::strpbrk(text, ".e") == nullptr) out += ".0";
  } else {
    out += std::to_string(v);
  }
}
template <typename T, typename A> void write(std::string& out, const std::vector<T, A>& v);
template <typename T, size_t N> void write(std::string& out, const std::array<T, N>& v);
template <typename A, typename B> void write(std::string& out, const std::pair<A, B>& v);
template <typename... T> void write(std::string& out, const std::tuple<T...>& v);
template <typename T> void write(std::string& out, const std::optional<T>& v);
template <typename T> void write_all(std::string& out, const T& v, char open, char close);
template <typename T> void write(std::string& out, const std::set<T>& v) { write_all(out, v, '<', '>'); }
template <typename T> void write(std::string& out, const std::unordered_set<T>& v) { write_all(out, v, '<', '>'); }
template <typename T> void write_map(std::string& out, const T& v);
template <typename K, typename V> void write(std::string& out, const std::map<K, V>& v) { write_map(out, v); }
template <typename K, typename V> void write(std::string& out, const std::unordered_map<K, V>& v) { write_map(out, v); }

template <typename T> void write_all(std::string& out, const T& v, char open, char close) {
  out += open;
  bool is_first = true;
  for (const auto& item : v) {
    if (!is_first) out += ',';
    is_first = false;
    write(out, static_cast<const typename T::value_type&>(item));
  }
  out += close;
}
template <typename T, typename A> void write(std::string& out, const std::vector<T, A>& v) { write_all(out, v, '[', ']'); }
template <typename T, size_t N> void write(std::string& out, const std::array<T, N>& v) { write_all(out, v, '[', ']'); }
template <typename A, typename B> void write(std::string& out, const std::pair<A, B>& v) {
  out += '(', write(out, v.first), out += ',', write(out, v.second), out += ')';
}
template <typename... T> void write(std::string& out, const std::tuple<T...>& v) {
  out += '(';
  bool is_first = true;
  std::apply([&](const auto&... items) { ((is_first ? void() : void(out += ','), is_first = false, write(out, items)), ...); }, v);
  out += ')';
}
template <typename T> void write(std::string& out, const std::optional<T>& v) {
  if (v) {
    write(out, *v);
  } else {
    out += "null";
  }
}
template <typename T> void write_map(std::string& out, const T& v) {
  out += '{';
  bool is_first = true;
  for (const auto& [key, value] : v) {
    if (!is_first) out += ',';
    is_first = false;
    write(out, key), out += ':', write(out, value);
  }
  out += '}';
}

inline void send(const std::string& nonce, const char* kind, const std::string& payload) {
  const auto frame = "R1 " + nonce + " " + kind + " " + std::to_string(payload.size()) + "\n" + payload;
  for (size_t done = 0; done < frame.size();) {
    const auto n = ::write(4, frame.data() + done, frame.size() - done);
    if (n <= 0) return;
    done += static_cast<size_t>(n);
  }
}

template <typename R, typename... A, typename Call> int run_with(const Call& call) {
  std::string request;
  char buffer[65536];
  for (ssize_t n; (n = ::read(3, buffer, sizeof buffer)) > 0;) request.append(buffer, static_cast<size_t>(n));
  ::close(3);
  const auto line = request.find('\n');
  const auto nonce = request.substr(0, line);
  Reader reader{request.c_str() + line + 1};
  try {
    std::tuple<std::decay_t<A>...> args;
    reader.peek() == '[' && sizeof...(A) == 0 ? reader.expect('[') : void();
    if constexpr (sizeof...(A) > 0) {
      read(reader, args);
    } else {
      reader.expect(']');
    }
    std::string text;
    std::apply([&](auto&... values) { write(text, std::decay_t<R>(call(values...))); }, args);
    send(nonce, "value", text);
  } catch (const std::bad_alloc&) {
    send(nonce, "memory", "std::bad_alloc");
  } catch (const std::exception& e) {
    send(nonce, "error", e.what());
  }
  std::fflush(stdout);
  return 0;
}

template <typename R, typename... A> int run(R (*f)(A...)) {
  return run_with<R, A...>([f](auto&... values) -> R { return f(std::forward<A>(values)...); });
}
template <typename C, typename R, typename... A> int run(R (C::*f)(A...)) {
  static C object;
  return run_with<R, A...>([f](auto&... values) -> R { return (object.*f)(std::forward<A>(values)...); });
}
template <typename C, typename R, typename... A> int run(R (C::*f)(A...) const) {
  static C object;
  return run_with<R, A...>([f](auto&... values) -> R { return (object.*f)(std::forward<A>(values)...); });
}

}  // namespace r1_harness
