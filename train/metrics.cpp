#include "train/metrics.h"

#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>

#include "core/error.h"
#include "core/files.h"
#include "core/json.h"
#include "train/event_file.h"

namespace r1::train {
namespace {

namespace fs = std::filesystem;

double now() { return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count(); }

// The lines of steps up to `last_step`; a torn last line (the process was killed) is dropped.
std::string lines_up_to(const fs::path& path, int64_t last_step) {
  std::string kept;
  for_each_line(path, [&](int64_t, std::string_view line) {
    boost::json::error_code error;
    const auto value = boost::json::parse(line, error);
    if (error || !value.is_object() || !value.as_object().contains("step")) return;
    const auto& step = value.as_object().at("step");
    if (step.is_int64() && step.as_int64() <= last_step) kept += std::string(line) + "\n";
  });
  return kept;
}

}  // namespace

struct MetricsWriter::State {
  struct Close { void operator()(std::FILE* f) const { std::fclose(f); } };
  fs::path lines_path;
  std::unique_ptr<std::FILE, Close> lines;
  EventFile events;

  explicit State(const fs::path& folder) : lines_path(folder / "metrics.jsonl"), events(folder) {}
};

MetricsWriter::MetricsWriter(const fs::path& folder, int64_t resume_step) {
  fs::create_directories(folder);
  state_ = std::make_unique<State>(folder);
  const auto& path = state_->lines_path;
  if (fs::exists(path)) {
    write_file_atomic(path, lines_up_to(path, resume_step));
    state_->events.write(event_session_start(now(), resume_step + 1));
  }
  state_->lines.reset(std::fopen(path.c_str(), "ab"));
  if (!state_->lines) {
    throw Error(path.string(), fmt::format("cannot be opened: {}", std::strerror(errno)), "check the folder's rights and space");
  }
}

MetricsWriter::~MetricsWriter() = default;

void MetricsWriter::add(const std::string& stage, int64_t step, const std::map<std::string, double>& metrics) {
  boost::json::object line{{"step", step}, {"stage", stage}};
  const auto time = now();
  for (const auto& [name, value] : metrics) {
    if (std::isfinite(value)) line[name] = value;
    else line[name] = nullptr;
    state_->events.write(event_scalar(time, step, stage + "/" + name, static_cast<float>(value)));
  }
  const auto text = json::dump(line) + "\n";
  if (std::fwrite(text.data(), 1, text.size(), state_->lines.get()) != text.size() || std::fflush(state_->lines.get()) != 0) {
    throw Error(state_->lines_path.string(), fmt::format("cannot be written: {}", std::strerror(errno)), "free space on the disk");
  }
}

void MetricsWriter::add_text(const std::string& stage, int64_t step, const std::string& name, const std::string& text) {
  state_->events.write(event_text(now(), step, stage + "/" + name, text));
}

void MetricsWriter::flush() {
  state_->events.flush();
  if (fsync(fileno(state_->lines.get())) != 0) {
    throw Error(state_->lines_path.string(), fmt::format("cannot be synced: {}", std::strerror(errno)), "free space on the disk");
  }
}

}  // namespace r1::train
