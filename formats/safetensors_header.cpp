#include "formats/safetensors_header.h"

#include <boost/json/basic_parser_impl.hpp>
#include <optional>

#include "core/error.h"
#include "formats/quote.h"

namespace r1::formats {
namespace {

namespace bj = boost::json;

constexpr const char* kMend = "write the file again with the safetensors library, or fetch it again";
constexpr size_t kMaxRank = 64;        // no real tensor comes near; bounds what "shape" may take
constexpr size_t kMaxJsonDepth = 128;  // the reference's limit

// What the parser stands in; each admits certain values only.
enum class Place { kDocument, kTop, kMetadata, kTensor, kShape, kOffsets, kIgnored };
enum class Kind { kObject, kArray, kString, kInteger, kNull, kOther };

const char* to_string(Kind k) {
  constexpr std::array<const char*, 6> kNames = {"an object",      "an array", "a string",
                                                 "a whole number", "null",     "a fraction or a bool"};
  return kNames[static_cast<size_t>(k)];
}

std::optional<DType> find_dtype(std::string_view name) {
  for (int i = 0; i <= static_cast<int>(DType::kC64); ++i) {
    if (name == to_string(static_cast<DType>(i))) return static_cast<DType>(i);
  }
  return std::nullopt;
}

// Boost.JSON's event interface; every handler returns true to go on.
class Handler {
 public:
  static constexpr size_t max_object_size = size_t(-1);
  static constexpr size_t max_array_size = size_t(-1);
  static constexpr size_t max_key_size = size_t(-1);
  static constexpr size_t max_string_size = size_t(-1);
  using Ec = boost::system::error_code;
  using Text = bj::string_view;

  explicit Handler(std::string where) : where_(std::move(where)) {}
  SafetensorsHeader take() { return std::move(header_); }

  bool on_document_begin(Ec&) { return true; }
  bool on_document_end(Ec&) { return true; }

  bool on_object_begin(Ec&) {
    admit(Kind::kObject);
    if (place_ == Place::kDocument) {
      place_ = Place::kTop;
    } else if (place_ == Place::kTop) {
      begin_top_value();
    } else {
      descend_ignored();
    }
    return true;
  }

  bool on_object_end(size_t, Ec&) {
    if (place_ == Place::kTensor) finish_tensor();
    if (place_ == Place::kTensor || place_ == Place::kMetadata) {
      place_ = Place::kTop;
    } else if (place_ == Place::kIgnored) {
      ascend_ignored();
    }
    return true;
  }

  bool on_array_begin(Ec&) {
    admit(Kind::kArray);
    if (place_ == Place::kTensor && field_ == "shape") {
      place_ = Place::kShape;
    } else if (place_ == Place::kTensor && field_ == "data_offsets") {
      place_ = Place::kOffsets;
      num_offsets_ = 0;
    } else {
      descend_ignored();
    }
    return true;
  }

  bool on_array_end(size_t, Ec&) {
    if (place_ == Place::kOffsets && num_offsets_ != 2) {
      fail(fmt::format("has {} numbers; [begin, end] is wanted", num_offsets_));
    }
    if (place_ == Place::kIgnored) {
      ascend_ignored();
    } else {
      place_ = Place::kTensor;
    }
    return true;
  }

  bool on_key_part(Text s, size_t, Ec&) { return append(s); }
  bool on_key(Text s, size_t, Ec&) {
    append(s);
    if (place_ == Place::kTensor) {
      field_ = std::move(text_);
      begin_field();
    } else if (place_ != Place::kIgnored) {
      key_ = std::move(text_);
    }
    text_.clear();
    return true;
  }

  bool on_string_part(Text s, size_t, Ec&) { return append(s); }
  bool on_string(Text s, size_t, Ec&) {
    append(s);
    admit(Kind::kString);
    if (place_ == Place::kMetadata) {
      if (!header_.metadata.emplace(key_, text_).second) fail("stands twice");
    } else if (place_ == Place::kTensor && field_ == "dtype") {
      set_dtype();
    }
    text_.clear();
    return true;
  }

  bool on_number_part(Text, Ec&) { return true; }
  bool on_int64(int64_t value, Text, Ec&) {
    admit(Kind::kInteger);
    if (place_ == Place::kShape || place_ == Place::kOffsets) {
      if (value < 0) fail(fmt::format("holds {}; sizes and offsets are 0 or more", value));
      add_number(static_cast<uint64_t>(value));
    }
    return true;
  }
  bool on_uint64(uint64_t value, Text, Ec&) {
    admit(Kind::kInteger);
    if (place_ == Place::kShape || place_ == Place::kOffsets) add_number(value);
    return true;
  }
  bool on_double(double, Text, Ec&) { return admit(Kind::kOther); }
  bool on_bool(bool, Ec&) { return admit(Kind::kOther); }
  bool on_null(Ec&) { return admit(Kind::kNull); }
  bool on_comment_part(Text, Ec&) { return true; }
  bool on_comment(Text, Ec&) { return true; }

 private:
  bool append(Text s) {
    if (place_ != Place::kIgnored) text_.append(s.data(), s.size());
    return true;
  }

  // What may stand here; everything else is refused by name.
  bool admit(Kind found) {
    Kind wanted = found;
    switch (place_) {
      case Place::kDocument:
        wanted = Kind::kObject;
        break;
      case Place::kTop:
        wanted = key_ == "__metadata__" && found == Kind::kNull ? Kind::kNull : Kind::kObject;
        break;
      case Place::kMetadata:
        wanted = Kind::kString;
        break;
      case Place::kShape:
      case Place::kOffsets:
        wanted = Kind::kInteger;
        break;
      case Place::kTensor:
        if (field_ == "dtype") wanted = Kind::kString;
        if (field_ == "shape" || field_ == "data_offsets") wanted = Kind::kArray;
        break;
      case Place::kIgnored:
        break;
    }
    if (found != wanted) fail(fmt::format("is or holds {} where {} is wanted", to_string(found), to_string(wanted)));
    return true;
  }

  void begin_top_value() {
    if (key_ == "__metadata__") {
      if (has_metadata_) fail("stands twice");
      has_metadata_ = true;
      place_ = Place::kMetadata;
      return;
    }
    header_.entries.emplace_back().name = key_;
    has_ = {false, false, false};
    field_.clear();
    place_ = Place::kTensor;
  }

  void begin_field() {
    for (size_t i = 0; i < kFields.size(); ++i) {
      if (field_ != kFields[i]) continue;
      if (has_[i]) fail("stands twice");
      has_[i] = true;
    }
  }

  void finish_tensor() {
    for (size_t i = 0; i < kFields.size(); ++i) {
      field_ = kFields[i];
      if (!has_[i]) fail("is missing");
    }
  }

  void set_dtype() {
    const auto dtype = find_dtype(text_);
    if (!dtype)
      fail(fmt::format("is {}, which is none of the format's types (F32, F16, BF16, I64, ...)", quote_name(text_)));
    header_.entries.back().dtype = *dtype;
  }

  void add_number(uint64_t value) {
    HeaderEntry& entry = header_.entries.back();
    if (place_ == Place::kOffsets) {
      if (num_offsets_ < 2) entry.offsets[num_offsets_] = value;
      ++num_offsets_;
      return;
    }
    if (value > uint64_t{INT64_MAX}) fail(fmt::format("holds {}, more than any tensor has", value));
    if (entry.shape.size() == kMaxRank) fail(fmt::format("has more than {} sizes", kMaxRank));
    entry.shape.push_back(static_cast<int64_t>(value));
  }

  void descend_ignored() {
    place_ = Place::kIgnored;
    ++ignored_depth_;
  }
  void ascend_ignored() {
    if (--ignored_depth_ == 0) place_ = Place::kTensor;  // only a tensor's unknown fields are passed over
  }

  [[noreturn]] void fail(const std::string& problem) const {
    std::string place = "header";
    if (place_ == Place::kTop) place = fmt::format("key {}", quote_name(key_));
    if (place_ == Place::kMetadata) place = fmt::format("'__metadata__': key {}", quote_name(key_));
    if (place_ == Place::kTensor || place_ == Place::kShape || place_ == Place::kOffsets) {
      place = fmt::format("tensor {}: key {}", quote_name(key_), quote_name(field_));
    }
    throw Error(where_, fmt::format("{} {}", place, problem), kMend);
  }

  static constexpr std::array<std::string_view, 3> kFields = {"dtype", "shape", "data_offsets"};

  const std::string where_;
  SafetensorsHeader header_;
  Place place_ = Place::kDocument;
  std::string key_;    // of the top object or of __metadata__
  std::string field_;  // of a tensor's object
  std::string text_;   // the key or string being read
  std::array<bool, 3> has_ = {false, false, false};
  bool has_metadata_ = false;
  size_t num_offsets_ = 0;
  int ignored_depth_ = 0;
};

}  // namespace

SafetensorsHeader parse_safetensors_header(std::string_view json, const std::string& where) {
  bj::parse_options options;
  options.max_depth = kMaxJsonDepth;
  bj::basic_parser<Handler> parser(options, where);
  boost::system::error_code ec;
  size_t used = parser.write_some(false, json.data(), json.size(), ec);
  while (!ec && used < json.size() &&
         (json[used] == ' ' || json[used] == '\n' || json[used] == '\r' || json[used] == '\t'))
    ++used;
  if (!ec && used < json.size()) ec = bj::error::extra_data;
  if (ec) {
    // The text starts behind the 8 bytes of its length, and offsets are told as in the file.
    throw Error(where, fmt::format("header: byte {}: not JSON: {}", used + 8, ec.message()), kMend);
  }
  return parser.handler().take();
}

}  // namespace r1::formats
