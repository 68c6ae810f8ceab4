#pragma once
// TensorBoard event files, written without protobuf: TFRecord frames of hand-encoded Event messages.

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace r1::train {

// Encoded Event messages (tensorboard/compat/proto/event.proto); pure functions.
std::string event_version(double wall_time);
std::string event_scalar(double wall_time, int64_t step, std::string_view tag, float value);
std::string event_text(double wall_time, int64_t step, std::string_view tag, std::string_view text);
// Tells TensorBoard to drop what earlier files have at `step` and later.
std::string event_session_start(double wall_time, int64_t step);

// length, masked CRC of the length, payload, masked CRC of the payload.
std::string frame(std::string_view payload);

class EventFile {
 public:
  // events.out.tfevents.TIME.HOST.PID.0 in `folder`, beginning with the version record.
  explicit EventFile(const std::filesystem::path& folder);
  void write(std::string_view event);
  void flush();  // to the disk
  const std::filesystem::path& path() const { return path_; }

 private:
  struct Close { void operator()(std::FILE* f) const { std::fclose(f); } };
  std::filesystem::path path_;
  std::unique_ptr<std::FILE, Close> file_;
};

}  // namespace r1::train
