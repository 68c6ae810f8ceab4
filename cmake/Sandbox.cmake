# The sandbox's helper program and the library of its warm interpreters (rewards/sandbox/helper). They run outside of r1's
# own process, so they carry no sanitizers; the helper is static, which makes it quick to start and independent of what
# its file tree holds.
function(r1_sandbox_programs)
  set(folder ${PROJECT_SOURCE_DIR}/rewards/sandbox/helper)
  set(box ${folder}/box.cpp ${folder}/landlock.cpp ${folder}/seccomp.cpp)
  add_executable(r1_sandbox_helper ${box} ${folder}/main.cpp ${folder}/root.cpp ${folder}/cgroup.cpp ${folder}/meter.cpp
                                   ${folder}/warden_parts.cpp
                                   ${folder}/warden.cpp)
  add_library(r1_sandbox_warm MODULE ${box} ${folder}/warm.cpp)
  set_target_properties(r1_sandbox_helper PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/sandbox)
  set_target_properties(r1_sandbox_warm PROPERTIES LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/sandbox
                                                   PREFIX "" SUFFIX ".so")
  foreach(target r1_sandbox_helper r1_sandbox_warm)
    target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR})
    target_compile_options(${target} PRIVATE -O2 -Wall -Wextra -Wpedantic -Werror -Wno-missing-field-initializers)
  endforeach()
  target_link_options(r1_sandbox_helper PRIVATE -static -s)
  # Without the C++ runtime, and against whatever C library the interpreter brings.
  target_compile_options(r1_sandbox_warm PRIVATE -fno-exceptions -fno-rtti -fvisibility=hidden)
  target_link_options(r1_sandbox_warm PRIVATE -static-libstdc++ -static-libgcc -Wl,--as-needed -s)
endfunction()

# Tells a source file that embeds files (rewards/sandbox/embed.h) their paths: r1_embed(SOURCE NAME PATH [NAME PATH ...]).
function(r1_embed source)
  list(LENGTH ARGN length)
  math(EXPR last "${length} - 1")
  foreach(i RANGE 0 ${last} 2)
    math(EXPR j "${i} + 1")
    list(GET ARGN ${i} name)
    list(GET ARGN ${j} path)
    set_property(SOURCE ${source} APPEND PROPERTY OBJECT_DEPENDS ${path})
    set_property(SOURCE ${source} APPEND PROPERTY COMPILE_DEFINITIONS ${name}="${path}")
  endforeach()
endfunction()

r1_embed(${PROJECT_SOURCE_DIR}/rewards/sandbox/embedded.cpp
         R1_HELPER_FILE ${PROJECT_BINARY_DIR}/sandbox/r1_sandbox_helper
         R1_WARM_FILE ${PROJECT_BINARY_DIR}/sandbox/r1_sandbox_warm.so)
r1_embed(${PROJECT_SOURCE_DIR}/rewards/code/harness.cpp
         R1_PYTHON_HARNESS ${PROJECT_SOURCE_DIR}/rewards/code/harness/run.py
         R1_CPP_HARNESS ${PROJECT_SOURCE_DIR}/rewards/code/harness/call.h)
