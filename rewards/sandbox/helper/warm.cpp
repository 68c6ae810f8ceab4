// The library that a warm interpreter loads. The interpreter starts once, imports what programs commonly need, and
// calls r1_serve(), which returns once for every run: in a forked process that has all of a run's restrictions on it.

#include "rewards/sandbox/helper/warm.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rewards/sandbox/helper/box.h"

using namespace r1::sandbox;

namespace {

// A request and its descriptors; false when the helper is gone.
bool receive(int socket, box::WarmRequest& request, int (&fds)[box::kNumWarmDescriptors]) {
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof fds)];
  iovec part{&request, sizeof request};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  ssize_t size;
  do {
    size = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  } while (size < 0 && errno == EINTR);
  if (size != sizeof request) return false;
  const auto* header = CMSG_FIRSTHDR(&message);
  if (header == nullptr || header->cmsg_len != CMSG_LEN(sizeof fds)) return false;
  memcpy(fds, CMSG_DATA(header), sizeof fds);
  return true;
}

}  // namespace

// Returns only in a run's process, with the message on 3 and the result pipe on 4.
extern "C" __attribute__((visibility("default"))) void r1_serve(int socket, const char* folder,
                                                                const char* const* readable) {
  const char ready = 'r';
  if (write(socket, &ready, 1) != 1) _exit(1);
  for (;;) {
    box::WarmRequest request;
    int fds[box::kNumWarmDescriptors];
    if (!receive(socket, request, fds)) _exit(0);
    box::Spec spec;
    spec.limits = request.limits;
    spec.fds = {fds[0], fds[1], fds[2], fds[3], fds[4], fds[5]};
    spec.has_namespaces = request.has_namespaces != 0;
    spec.may_execute = request.may_execute != 0;
    spec.proc = request.has_proc != 0 ? fds[6] : -1;
    spec.is_warm = true;
    spec.folder = folder;
    spec.readable = readable;
    const pid_t init = box::start(spec, CLONE_PARENT);
    if (init == 0) return;
    const box::WarmReply reply{init, init < 0 ? errno : 0};
    for (const int fd : fds) close(fd);
    if (write(socket, &reply, sizeof reply) != sizeof reply) _exit(1);
  }
}
