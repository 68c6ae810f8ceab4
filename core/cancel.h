#pragma once
// Ctrl-C: the first SIGINT or SIGTERM asks for a clean stop at the next safe point, the second ends the process at
// once.

namespace r1 {

// Installs the handlers; call once in main().
void install_stop_signals();
// True after the first signal. Loops of steps check it between steps and leave a checkpoint.
bool stop_requested();
// For tests and embedding.
void request_stop();
void clear_stop_request();

}  // namespace r1
