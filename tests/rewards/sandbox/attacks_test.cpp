// Programs that attack the sandbox (tests/fixtures/code/attacks): each says "contained" or what it reached, and the
// judge says how it ended. The host must be what it was, and the same slots must go on judging honest programs.

#include <fcntl.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <unistd.h>

#include <cstdlib>

#include "tests/rewards/code/programs.h"
#include "tests/support/catch.h"

using namespace r1::rewards::code;
using namespace code_programs;

namespace {

constexpr auto kContained = R"({"cases":[{"stdin":"","stdout":"contained\n"}]})";

JudgeOptions tight_options() {
  JudgeOptions options;
  options.limits = {.cpu_ms = 600,
                    .wall_ms = 1500,
                    .memory_bytes = 160 << 20,
                    .output_bytes = 256 << 10,
                    .disk_bytes = 16 << 20,
                    .max_processes = 24,
                    .max_open_files = 64};
  options.num_slots = 3;
  return options;
}

Judged attack(Judge& judge, const std::filesystem::path& path) {
  auto tests = parsed(kContained);
  tests.language = path.extension() == ".cpp" ? "cpp" : "python";
  return judge.judge_program(read_text(path), tests);
}

// What programs could have changed outside.
std::string host_state() {
  std::string state;
  char name[256]{};
  gethostname(name, sizeof name - 1);
  state += name;
  size_t num_mounts = 0;
  for (const char c : read_text("/proc/self/mountinfo")) num_mounts += c == '\n';
  state += " mounts " + std::to_string(num_mounts);
  for (const std::string folder : {"/tmp", "/dev/shm", "/var/tmp", "/run/lock", "/"}) {
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
      if (entry.path().filename().string().starts_with("r1-escape")) state += " " + entry.path().string();
    }
  }
  state += " users " + std::to_string(std::hash<std::string>()(read_text("/etc/passwd")));
  if (shmget(0x7231, 0, 0) >= 0) state += " shared memory";
  return state;
}

// Processes that this one started and that still are.
std::string children() {
  std::string text;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task"))
    text += read_text(task.path() / "children");
  return text;
}

}  // namespace

TEST_CASE("attacks are contained, with the right verdict each, and leave the host as it was") {
  const auto found = files("attacks");
  CHECK(found.size() >= 60);
  setenv("R1_TEST_SECRET", "a password", 1);
  const int left_open = open("/etc/passwd", O_RDONLY);  // NOLINT: on purpose without O_CLOEXEC
  const auto before = host_state(), before_children = children();
  {
    Judge judge(tight_options());
    std::vector<Judged> judged(found.size());
    in_parallel(found.size(), [&](size_t i) { judged[i] = attack(judge, found[i]); });
    for (size_t i = 0; i < found.size(); ++i) {
      INFO(found[i].filename().string() << ": " << to_string(judged[i].finding) << ", " << judged[i].detail);
      CHECK(to_string(judged[i].finding) == header(read_text(found[i]), "finding"));
    }
    for (int run = 0; run < 6; ++run) {  // on every slot, what an earlier run left would be found
      for (const auto* name : {"persist.py", "poison_modules.py"}) {
        INFO(name);
        CHECK(attack(judge, folder("attacks") / name).finding == Finding::kPassed);
      }
    }
    CHECK(judge.isolation().is_available);
  }
  close(left_open);
  unsetenv("R1_TEST_SECRET");
  CHECK(host_state() == before);
  CHECK(children() == before_children);
}
