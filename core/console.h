#pragma once
// stderr, shared by log lines and the progress line: a log line never lands in the middle of a progress line.

#include <string_view>

namespace r1::console {

// Writes the line and a newline in one piece. A status line on the terminal moves below it.
void write_line(std::string_view line);

// The line that stays at the bottom of a terminal and is drawn over; empty removes it. Terminals only.
void set_status(std::string_view line);

bool is_terminal();
// Columns; 80 if the terminal does not say.
int width();

}  // namespace r1::console
