#include <algorithm>
#include <numeric>

#include "core/error.h"
#include "core/json.h"
#include "formats/quote.h"
#include "formats/safetensors.h"

namespace r1::formats {
namespace {

namespace bj = boost::json;

int64_t stored_bytes(const TensorView& t) { return t.num_elements() * block_layout(t.dtype).bits / 8; }

// Indices in the order of the file: wide types first keeps every tensor aligned to its elements.
std::vector<size_t> file_order(std::span<const TensorView> tensors) {
  std::vector<size_t> order(tensors.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    const int64_t bits_a = block_layout(tensors[a].dtype).bits, bits_b = block_layout(tensors[b].dtype).bits;
    return bits_a != bits_b ? bits_a > bits_b : tensors[a].name < tensors[b].name;
  });
  return order;
}

[[noreturn]] void refuse(const std::filesystem::path& path, const TensorView& t, const std::string& problem,
                         const char* mend) {
  throw Error(fmt::format("{}: tensor {}", path.string(), quote_name(t.name)), problem, mend);
}

void check_storable(const std::filesystem::path& path, const TensorView& t) {
  if (t.dtype > DType::kC64) {
    refuse(path, t, fmt::format("{} is a GGUF block type", to_string(t.dtype)), "convert it with to_float32() first");
  }
  if (t.name == "__metadata__") refuse(path, t, "the name is the format's own", "give the tensor another name");
}

std::string make_header(const std::filesystem::path& path, std::span<const TensorView> tensors,
                        std::span<const size_t> order, const std::map<std::string, std::string>& metadata) {
  bj::object header;
  if (!metadata.empty()) {
    bj::object& strings = header["__metadata__"].emplace_object();
    for (const auto& [key, value] : metadata) strings[key] = value;
  }
  int64_t begin = 0;
  for (const size_t i : order) {
    const TensorView& t = tensors[i];
    check_storable(path, t);
    if (header.contains(t.name)) refuse(path, t, "the name occurs twice", "give each tensor a name of its own");
    const int64_t end = begin + stored_bytes(t);
    header[t.name] = {{"dtype", to_string(t.dtype)},
                      {"shape", bj::array(t.shape.begin(), t.shape.end())},
                      {"data_offsets", {begin, end}}};
    begin = end;
  }
  std::string text = json::dump(header);
  text.resize((text.size() + 7) / 8 * 8, ' ');  // the data begin at a multiple of 8
  return text;
}

}  // namespace

void stream_safetensors(const std::filesystem::path& path, std::span<const TensorView> tensors,
                        const std::function<std::span<const std::byte>(size_t)>& bytes_of,
                        const std::map<std::string, std::string>& metadata) {
  const std::vector<size_t> order = file_order(tensors);
  const std::string header = make_header(path, tensors, order, metadata);
  AtomicFile file(path);
  const uint64_t length = header.size();
  file.write(std::as_bytes(std::span(&length, 1)));
  file.write(header);
  for (const size_t i : order) {
    const auto bytes = bytes_of(i);
    if (static_cast<int64_t>(bytes.size()) != stored_bytes(tensors[i])) {
      refuse(path, tensors[i],
             fmt::format("{} bytes for {} elements of {}", bytes.size(), tensors[i].num_elements(),
                         to_string(tensors[i].dtype)),
             "pass the bytes of the whole tensor");
    }
    file.write(bytes);
  }
  file.close();
}

void write_safetensors(const std::filesystem::path& path, std::span<const TensorView> tensors,
                       const std::map<std::string, std::string>& metadata) {
  stream_safetensors(
      path, tensors, [&](size_t i) { return tensors[i].bytes; }, metadata);
}

}  // namespace r1::formats
