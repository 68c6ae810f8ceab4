#include "train/event_file.h"

#include <unistd.h>

#include <array>
#include <bit>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "core/error.h"
#include "train/crc32c.h"

namespace r1::train {
namespace {

// Protobuf wire format: key = field << 3 | type; type 0 varint, 1 eight bytes, 2 length-delimited, 5 four bytes.
void put_varint(std::string& out, uint64_t value) {
  while (value >= 0x80) {
    out.push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  out.push_back(static_cast<char>(value));
}

template <typename Value>
void put_raw(std::string& out, Value value) {  // little-endian, as every machine of ours is
  const auto bytes = std::bit_cast<std::array<char, sizeof(Value)>>(value);
  out.append(bytes.data(), bytes.size());
}

void put_int(std::string& out, int field, int64_t value) {
  put_varint(out, field << 3);
  put_varint(out, static_cast<uint64_t>(value));
}
void put_double(std::string& out, int field, double value) {
  put_varint(out, field << 3 | 1);
  put_raw(out, value);
}
void put_float(std::string& out, int field, float value) {
  put_varint(out, field << 3 | 5);
  put_raw(out, value);
}
void put_bytes(std::string& out, int field, std::string_view value) {
  put_varint(out, field << 3 | 2);
  put_varint(out, value.size());
  out += value;
}

std::string event(double wall_time, int64_t step) {
  std::string out;
  put_double(out, 1, wall_time);
  if (step != 0) put_int(out, 2, step);  // proto3 leaves zeros out
  return out;
}

std::string with_summary(std::string out, std::string_view value) {
  std::string summary;
  put_bytes(summary, 1, value);
  put_bytes(out, 5, summary);
  return out;
}

}  // namespace

std::string event_version(double wall_time) {
  auto out = event(wall_time, 0);
  put_bytes(out, 3, "brain.Event:2");
  return out;
}

std::string event_scalar(double wall_time, int64_t step, std::string_view tag, float value) {
  std::string v;
  put_bytes(v, 1, tag);
  put_float(v, 2, value);
  return with_summary(event(wall_time, step), v);
}

std::string event_text(double wall_time, int64_t step, std::string_view tag, std::string_view text) {
  std::string plugin, metadata, dim, shape, tensor, v;
  put_bytes(plugin, 1, "text");
  put_bytes(metadata, 1, plugin);
  put_int(dim, 1, 1);
  put_bytes(shape, 2, dim);
  put_int(tensor, 1, 7);  // DT_STRING
  put_bytes(tensor, 2, shape);
  put_bytes(tensor, 8, text);
  put_bytes(v, 1, fmt::format("{}/text_summary", tag));
  put_bytes(v, 8, tensor);
  put_bytes(v, 9, metadata);
  return with_summary(event(wall_time, step), v);
}

std::string event_session_start(double wall_time, int64_t step) {
  auto out = event(wall_time, step);
  std::string session;
  put_int(session, 1, 1);  // SessionLog.START
  put_bytes(out, 7, session);
  return out;
}

std::string frame(std::string_view payload) {
  std::string length;
  put_raw(length, static_cast<uint64_t>(payload.size()));
  std::string out = length;
  put_raw(out, mask_crc(crc32c(length)));
  out += payload;
  put_raw(out, mask_crc(crc32c(payload)));
  return out;
}

EventFile::EventFile(const std::filesystem::path& folder) {
  const double now = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  std::array<char, 256> host{};
  gethostname(host.data(), host.size() - 1);
  for (int attempt = 0; !file_; ++attempt) {  // two runs of one second must not share a file
    path_ = folder / fmt::format("events.out.tfevents.{:010}.{}.{}.{}", static_cast<int64_t>(now), host.data(), getpid(), attempt);
    file_.reset(std::fopen(path_.c_str(), "wbx"));
    if (!file_ && errno != EEXIST) {
      throw Error(path_.string(), fmt::format("cannot be made: {}", std::strerror(errno)), "check the folder's rights and space");
    }
  }
  write(event_version(now));
}

void EventFile::write(std::string_view event) {
  const auto record = frame(event);
  if (std::fwrite(record.data(), 1, record.size(), file_.get()) != record.size()) {
    throw Error(path_.string(), fmt::format("cannot be written: {}", std::strerror(errno)), "free space on the disk");
  }
}

void EventFile::flush() {
  if (std::fflush(file_.get()) != 0 || fsync(fileno(file_.get())) != 0) {
    throw Error(path_.string(), fmt::format("cannot be synced: {}", std::strerror(errno)), "free space on the disk");
  }
}

}  // namespace r1::train
