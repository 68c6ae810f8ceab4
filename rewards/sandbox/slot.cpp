#include "rewards/sandbox/slot.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <thread>

#include "core/error.h"
#include "rewards/sandbox/embedded.h"
#include "rewards/sandbox/helper/setup.h"

namespace r1::sandbox {
namespace {

constexpr int64_t kHelloUs = 60'000'000;
constexpr int64_t kGraceUs =
    90'000'000;  // beyond a run's wall time: for a busy machine, and a warm interpreter's start
constexpr int kHelperSocket = 3;

// What runtimes of the known languages lie in. Missing ones are left out.
constexpr const char* kRuntime[]{"/usr", "/etc/alternatives", "/etc/ld.so.cache", "/etc/ld.so.conf",
                                 "/etc/ld.so.conf.d"};
// Of the box's own making, or links of the host's into /usr.
constexpr const char* kReadable[]{"/etc",      "/bin",      "/lib",      "/lib32",      "/lib64",      "/libx32",
                                  "/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"};

int64_t now_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

[[noreturn]] void fail(const std::string& step, int error) {
  throw Error("sandbox", fmt::format("cannot {}: {}", step, std::strerror(error)),
              "see r1 doctor; --unsafe runs programs without isolation");
}

// A text as a file that nobody can change, at its beginning.
posix::Descriptor as_file(std::string_view text) {
  posix::Descriptor file(memfd_create("input", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (file.get() < 0) return file;
  for (size_t done = 0; done < text.size();) {
    const auto n = write(file.get(), text.data() + done, text.size() - done);
    if (n < 0 && errno != EINTR) return posix::Descriptor();
    if (n > 0) done += static_cast<size_t>(n);
  }
  fcntl(file.get(), F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
  lseek(file.get(), 0, SEEK_SET);
  return file;
}

bool send_bytes(int socket, const void* bytes, size_t size) {
  for (size_t done = 0; done < size;) {
    const auto n = ::send(socket, static_cast<const char*>(bytes) + done, size - done, MSG_NOSIGNAL);
    if (n < 0 && errno != EINTR) return false;
    if (n > 0) done += static_cast<size_t>(n);
  }
  return true;
}

// Removes an emptied cgroup; its last processes may need a moment to go.
void remove_group(const char* folder) {
  if (*folder == '\0') return;
  for (int attempt = 0; attempt < 200 && rmdir(folder) != 0 && errno == EBUSY; ++attempt) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

}  // namespace

Slot::Slot(const Options& options)
    : namespaces_(options.isolation == Isolation::kFull ? Namespaces::kRequired : Namespaces::kNone) {
  if (namespaces_ == Namespaces::kNone) {
    auto name = (std::filesystem::temp_directory_path() / "r1-unsafe-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) fail("make a folder in " + name, errno);
    folder_ = name;
    std::filesystem::permissions(folder_, std::filesystem::perms(0755));
    const auto runs = folder_ / "run";
    std::filesystem::create_directory(runs);
    if (geteuid() == 0 && chown(runs.c_str(), 65534, 65534) != 0) fail("give away " + runs.string(), errno);
    const auto library = posix::open(folder_ / "warm.so", O_WRONLY | O_CREAT | O_EXCL, "write");
    posix::write_all(library.get(), warm_library(), folder_ / "warm.so");
    if (fchmod(library.get(), 0755) != 0) fail("make executable " + (folder_ / "warm.so").string(), errno);
  }
  try {
    spawn();
    say_hello(options);
  } catch (...) {
    stop();
    throw;
  }
}

Slot::~Slot() { stop(); }

void Slot::stop() {
  socket_.reset();  // the helper ends by itself when it sees this
  if (helper_ > 0) {
    for (int waited_ms = 0; waitpid(helper_, nullptr, WNOHANG) == 0; ++waited_ms) {
      if (waited_ms == 500) kill(helper_, SIGKILL);
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    remove_group(hello_.memory_cgroup);
    remove_group(hello_.pids_cgroup);
  }
  helper_ = -1;
  std::error_code ignored;
  if (!folder_.empty()) std::filesystem::remove_all(folder_, ignored);
}

// Not fork(): this process is large and has threads. posix_spawn() shares its memory until the helper's exec().
void Slot::spawn() {
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) fail("make a socket", errno);
  socket_ = posix::Descriptor(pair[0]);
  const posix::Descriptor theirs(fcntl(pair[1], F_DUPFD_CLOEXEC, kHelperSocket + 1));
  close(pair[1]);
  const Binary program(helper_program());
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  for (int fd = 0; fd < 3; ++fd) posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", O_RDWR, 0);
  posix_spawn_file_actions_adddup2(&actions, theirs.get(), kHelperSocket);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t signals;
  sigemptyset(&signals);
  posix_spawnattr_setsigmask(&attributes, &signals);
  sigfillset(&signals);
  posix_spawnattr_setsigdefault(&attributes, &signals);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  char name[] = "r1-box";
  char* const argv[]{name, nullptr};
  char* const environment[]{nullptr};
  const auto path = fmt::format("/proc/self/fd/{}", program.descriptor());
  const int error = posix_spawn(&helper_, path.c_str(), &actions, &attributes, argv, environment);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (error != 0) {
    helper_ = -1;
    fail("start the helper process", error);
  }
}

void Slot::say_hello(const Options& options) {
  box::Setup setup;
  const bool is_boxed = namespaces_ == Namespaces::kRequired;
  setup.folder = is_boxed ? "/tmp" : (folder_ / "run").string();
  setup.binds.assign(std::begin(kRuntime), std::end(kRuntime));
  setup.binds.insert(setup.binds.end(), options.folders.begin(), options.folders.end());
  setup.readable = setup.binds;
  setup.readable.insert(setup.readable.end(), std::begin(kReadable), std::end(kReadable));
  setup.warm_argv = options.warm.argv;
  if (!setup.warm_argv.empty()) {
    setup.warm_argv.push_back(is_boxed ? "/tmp/warm.so" : (folder_ / "warm.so").string());
    setup.warm_argv.push_back(setup.folder);
    setup.warm_argv.insert(setup.warm_argv.end(), setup.readable.begin(), setup.readable.end());
    setup.warm_library = is_boxed ? std::string(warm_library()) : "";
  }
  const auto text = pack(setup);
  const SetupHeader header{namespaces_, getpid(), static_cast<uint32_t>(text.size())};
  if (!send_bytes(socket_.get(), &header, sizeof header) || !send_bytes(socket_.get(), text.data(), text.size()) ||
      !read_until(&hello_, sizeof hello_, now_us() + kHelloUs)) {
    fail("start the helper process: it died or does not answer", ETIMEDOUT);
  }
  if (hello_.is_ready == 0) fail(hello_.step, hello_.error);
}

bool Slot::send(const Job& job, const Limits& limits) {
  std::string payload;
  put(payload, job.argv);
  put_number(payload, static_cast<uint32_t>(job.files.size()));
  for (const auto& [name, content] : job.files) put(payload, name), put(payload, content);
  put(payload, job.collect);
  Request request{limits, 0, static_cast<uint32_t>(payload.size())};
  if (job.start == Job::Start::kWarm) request.flags |= kWarm;
  if (job.programs == Children::kAllowed) request.flags |= kMayExecute;
  if (job.binary) request.flags |= kHasBinary;
  const auto input = as_file(job.input), message_file = as_file(job.message);
  if (input.get() < 0 || message_file.get() < 0) return false;
  const int fds[kMaxDescriptors]{input.get(), message_file.get(), job.binary ? job.binary->descriptor() : -1};
  const size_t fd_bytes = sizeof(int) * (job.binary ? 3 : 2);
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof fds)]{};
  iovec part{&request, sizeof request};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = CMSG_SPACE(fd_bytes);
  auto* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(fd_bytes);
  std::memcpy(CMSG_DATA(header), fds, fd_bytes);
  return sendmsg(socket_.get(), &message, MSG_NOSIGNAL) == sizeof request &&
         send_bytes(socket_.get(), payload.data(), payload.size());
}

bool Slot::read_until(void* to, size_t size, int64_t deadline_us) {
  for (size_t done = 0; done < size;) {
    const auto left_us = deadline_us - now_us();
    pollfd readable{socket_.get(), POLLIN, 0};
    if (left_us <= 0) return false;
    if (poll(&readable, 1, static_cast<int>(std::min<int64_t>(left_us / 1000 + 1, 1'000'000))) < 0 && errno != EINTR)
      return false;
    const auto n = recv(socket_.get(), static_cast<char*>(to) + done, size - done, MSG_DONTWAIT);
    if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN)) return false;
    if (n > 0) done += static_cast<size_t>(n);
  }
  return true;
}

std::optional<Outcome> Slot::receive(int64_t deadline_us) {
  Response r;
  if (!read_until(&r, sizeof r, deadline_us)) return std::nullopt;
  Outcome outcome{.end = r.end, .code = r.code};
  outcome.cpu_ms = r.cpu_ms;
  outcome.wall_us = r.wall_us;
  outcome.peak_memory_bytes = r.peak_memory_bytes;
  const std::pair<std::string*, uint32_t> texts[]{{&outcome.out, r.out_bytes},
                                                  {&outcome.err, r.err_bytes},
                                                  {&outcome.result, r.result_bytes},
                                                  {&outcome.detail, r.detail_bytes}};
  for (const auto& [text, size] : texts) {
    text->resize(size);
    if (!read_until(text->data(), size, deadline_us)) return std::nullopt;
  }
  return outcome;
}

std::optional<Outcome> Slot::run(const Job& job, const Limits& limits) {
  if (!send(job, limits)) return std::nullopt;
  auto outcome = receive(now_us() + limits.wall_ms * kLongestWait * 1000 + kGraceUs);
  if (namespaces_ == Namespaces::kNone) remove_folder_content();
  if (outcome && outcome->end == End::kFailed) outcome->detail += fmt::format(": {}", std::strerror(outcome->code));
  return outcome;
}

// Never follows links.
void Slot::remove_folder_content() const {
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder_ / "run", ignored)) {
    std::filesystem::remove_all(entry.path(), ignored);
  }
}

IsolationReport Slot::report() const {
  return {.is_available = true,
          .reason = "",
          .has_namespaces = namespaces_ == Namespaces::kRequired,
          .landlock_abi = hello_.landlock_abi,
          .has_memory_cgroup = hello_.memory_cgroup[0] != '\0',
          .has_pids_cgroup = hello_.pids_cgroup[0] != '\0',
          .can_measure = hello_.has_proc != 0,
          .uid = hello_.uid};
}

}  // namespace r1::sandbox
