#pragma once
// What code writes to stderr, as a file or as a terminal sees it.

#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <functional>
#include <string>

#include "tests/core/temp_folder.h"

inline std::string stderr_of(const std::function<void()>& body) {
  const TempFolder folder;
  const int saved = ::dup(STDERR_FILENO);
  const int file = ::open((folder / "stderr").c_str(), O_RDWR | O_CREAT | O_APPEND, 0600);
  ::dup2(file, STDERR_FILENO);
  body();
  ::dup2(saved, STDERR_FILENO);
  ::close(saved);
  ::close(file);
  return slurp(folder / "stderr");
}

// With stderr a terminal of `columns`. The body must write less than a terminal holds unread (4 KB).
inline std::string terminal_output_of(unsigned short columns, const std::function<void()>& body) {
  const int master = ::posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK);
  ::grantpt(master);
  ::unlockpt(master);
  const int slave = ::open(::ptsname(master), O_RDWR | O_NOCTTY);
  winsize size{};
  size.ws_col = columns;
  ::ioctl(slave, TIOCSWINSZ, &size);
  const int saved = ::dup(STDERR_FILENO);
  ::dup2(slave, STDERR_FILENO);
  body();
  ::dup2(saved, STDERR_FILENO);
  std::string text;
  char piece[4096];
  for (ssize_t got = ::read(master, piece, sizeof(piece)); got > 0; got = ::read(master, piece, sizeof(piece))) {
    text.append(piece, static_cast<size_t>(got));
  }
  ::close(saved);
  ::close(slave);
  ::close(master);
  return text;
}
