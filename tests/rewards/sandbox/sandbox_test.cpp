#include "rewards/sandbox/sandbox.h"

#include <grp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "core/error.h"
#include "tests/support/catch.h"
#include "tests/support/no_namespaces.h"

using namespace r1;
using namespace r1::sandbox;

namespace {

constexpr Limits kTight{.cpu_ms = 500, .wall_ms = 1500, .memory_bytes = 96 << 20, .output_bytes = 64 << 10};

Job shell(std::string script) {
  Job job;
  job.argv = {"/bin/sh", "-c", std::move(script)};
  job.programs = Children::kAllowed;
  return job;
}

std::string children() {
  std::ostringstream text;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    text << std::ifstream(task.path() / "children").rdbuf();
  }
  return text.str();
}

// Runs `body` on a thread whose credentials and filters are its own: what it starts inherits them.
template <typename Body>
void on_own_thread(const Body& body) {
  std::thread(body).join();
  prctl(PR_SET_DUMPABLE, 1);
}

}  // namespace

TEST_CASE("a program gets its arguments, input, files and message, and gives back output, status and result") {
  Sandbox sandbox({.num_slots = 1});
  auto job = shell("cat; cat greeting; cat <&3; echo oops >&2; echo found >&4; pwd; exit 7");
  job.input = "input ";
  job.message = "message\n";
  job.files = {{"greeting", "greeting "}};
  const auto outcome = sandbox.run(job, {});
  CHECK(outcome.end == End::kExited);
  CHECK(outcome.code == 7);
  CHECK(outcome.out == "input greeting message\n/tmp\n");
  CHECK(outcome.err == "oops\n");
  CHECK(outcome.result == "found\n");
}

TEST_CASE("each limit ends a run, and says which it was") {
  Sandbox sandbox({.num_slots = 1});
  struct Row {
    std::string script;
    End end;
  };
  const auto row = GENERATE(values<Row>({
      {"while :; do :; done", End::kCpuTime},
      {"sleep 100", End::kWallTime},
      {"while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done", End::kOutput},
      {"while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx >&2; done", End::kOutput},
      {"x=xxxxxxxxxxxxxxxx; while :; do x=$x$x; done", End::kMemory},
      {"kill -9 $$", End::kSignalled},
      {"true", End::kExited},
  }));
  INFO(row.script);
  CHECK(to_string(sandbox.run(shell(row.script), kTight).end) == to_string(row.end));
}

TEST_CASE("a program that is not there is the sandbox's failure, and says so") {
  Sandbox sandbox({.num_slots = 1});
  const auto outcome = sandbox.run({.argv = {"/usr/bin/no-such-program"}}, {});
  CHECK(outcome.end == End::kFailed);
  CHECK_THAT(outcome.detail, Catch::Contains("execute the program: No such file"));
}

TEST_CASE("a file is handed back if it is one, of the program's own folder and within its size") {
  Sandbox sandbox({.num_slots = 1});
  struct Row {
    std::string script, result;
    End end;
  };
  const auto row = GENERATE(values<Row>({
      {"printf made > out", "made", End::kExited},
      {"ln -s /etc/passwd out", "", End::kExited},
      {"mkdir out", "", End::kExited},
      {"mkdir a; printf made > a/out; ln -s a/out out", "", End::kExited},
      {"true", "", End::kExited},
      {"head -c 100000 /dev/zero > out", std::string(1000, '\0'), End::kOutput},
  }));
  INFO(row.script);
  auto job = shell(row.script);
  job.collect = "out";
  const auto outcome = sandbox.run(job, {.result_bytes = 1000});
  CHECK(to_string(outcome.end) == to_string(row.end));
  CHECK(outcome.result == row.result);
}

TEST_CASE("runs at once from many threads wait for slots and do not mix") {
  Sandbox sandbox({.num_slots = 2});
  std::vector<Outcome> outcomes(48);
  {
    std::vector<std::jthread> threads;
    for (size_t i = 0; i < outcomes.size(); ++i) {
      threads.emplace_back(
          [&, i] { outcomes[i] = sandbox.run(shell("echo " + std::to_string(i) + " > f; cat f"), {}); });
    }
  }
  for (size_t i = 0; i < outcomes.size(); ++i) CHECK(outcomes[i].out == std::to_string(i) + "\n");
}

TEST_CASE("a helper that dies is replaced, and nothing of it stays") {
  const auto before = children();
  {
    Sandbox sandbox({.num_slots = 1});
    CHECK(sandbox.run(shell("echo 1"), {}).out == "1\n");
    std::istringstream pids(children().substr(before.size()));
    for (pid_t pid; pids >> pid;) kill(pid, SIGKILL);
    CHECK(sandbox.run(shell("echo 2"), {}).out == "2\n");
  }
  CHECK(children() == before);
}

TEST_CASE("no root is needed") {
  if (geteuid() != 0) SUCCEED("this whole program runs without root");
  IsolationReport report;
  Outcome outcome;
  on_own_thread([&] {
    if (geteuid() == 0) {
      syscall(SYS_setgroups, 0, nullptr);
      syscall(SYS_setresgid, 65534, 65534, 65534);
      syscall(SYS_setresuid, 65534, 65534, 65534);
    }
    Sandbox sandbox({.num_slots = 1});
    report = sandbox.report();
    outcome = sandbox.run(shell("echo $$; ls /"), {});
  });
  INFO(report.reason << outcome.detail << outcome.err);
  CHECK(report.is_available);
  CHECK(report.has_namespaces);
  CHECK(report.uid != 0);
  CHECK_THAT(outcome.out, Catch::StartsWith("2\n"));
}

TEST_CASE("without namespaces nothing runs, unless a person chose unsafe") {
  const auto before = children();
  on_own_thread([] {
    deny_namespaces();
    Sandbox strict({.num_slots = 1});
    const auto report = strict.report();
    CHECK_FALSE(report.is_available);
    CHECK_THAT(report.reason, Catch::Contains("make namespaces: Operation not permitted"));
    CHECK(strict.run(shell("echo 1"), {}).end == End::kFailed);
    CHECK_THROWS_WITH(strict.start_all(), Catch::Contains("--unsafe"));

    Sandbox unsafe({.isolation = Isolation::kUnsafe, .num_slots = 1});
    CHECK_FALSE(unsafe.report().has_namespaces);
    CHECK(unsafe.run(shell("echo 1 > f; cat f"), {}).out == "1\n");
    CHECK(unsafe.run(shell("ls"), {}).out.empty());  // the folder is emptied
    CHECK(unsafe.run(shell("(setsid sleep 100 &) ; while :; do :; done"), {.cpu_ms = 500}).end == End::kCpuTime);
  });
  CHECK(children() == before);
}
