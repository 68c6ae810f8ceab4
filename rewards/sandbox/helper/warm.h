#pragma once
// What the helper and the warm interpreter's library say to each other over a SEQPACKET socket. The interpreter says
// one byte when it is ready.

#include <stdint.h>

#include "rewards/sandbox/limits.h"

namespace r1::sandbox::box {

inline constexpr int kNumWarmDescriptors = 7;  // in the order of box::Descriptors, then proc (or again status)

struct WarmRequest {
  Limits limits;
  int32_t has_namespaces;
  int32_t may_execute;
  int32_t has_proc;
};

struct WarmReply {
  int32_t init;  // its pid as the helper sees it, or -1
  int32_t error;
};

}  // namespace r1::sandbox::box
