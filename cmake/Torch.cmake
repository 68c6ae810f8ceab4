# LibTorch as an imported target made from the wheel's folder. find_package(Torch) of a CUDA wheel ends in FATAL_ERROR on
# a machine without a CUDA toolkit and sets nvcc flags for every architecture with one; this target needs neither.
if(NOT TORCH_DIR)
  execute_process(
    COMMAND ${PROJECT_SOURCE_DIR}/.venv/bin/python -c
            "import importlib.util as u; print(u.find_spec('torch').submodule_search_locations[0])"
    OUTPUT_VARIABLE R1_TORCH_FOUND OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  set(TORCH_DIR "${R1_TORCH_FOUND}" CACHE PATH "Folder of the torch wheel" FORCE)
endif()
if(NOT EXISTS ${TORCH_DIR}/include/torch)
  message(FATAL_ERROR "TORCH_DIR: no LibTorch in '${TORCH_DIR}'\n  mend: run scripts/setup.sh, or pass -DTORCH_DIR=FOLDER of torch 2.11.0")
endif()

# The wheel's nvidia packages lie beside torch; libtorch_cpu needs cudart and cupti even on a machine without a GPU.
get_filename_component(R1_SITE_PACKAGES ${TORCH_DIR} DIRECTORY)
file(GLOB R1_NVIDIA_LIBS LIST_DIRECTORIES true ${R1_SITE_PACKAGES}/nvidia/*/lib)
set(R1_TORCH_RPATH ${TORCH_DIR}/lib ${R1_NVIDIA_LIBS})

# fmt comes header-only from the wheel (12.1): Debian's 9.1 must not be seen beside it (docs/dependencies.md).
add_library(r1_fmt INTERFACE)
# One folder for all build trees, so that ccache sees the same paths in each.
set(R1_FMT_INCLUDE ${PROJECT_SOURCE_DIR}/build/include)
file(MAKE_DIRECTORY ${R1_FMT_INCLUDE})
file(CREATE_LINK ${TORCH_DIR}/include/fmt ${R1_FMT_INCLUDE}/fmt SYMBOLIC)
target_include_directories(r1_fmt SYSTEM INTERFACE ${R1_FMT_INCLUDE})
target_compile_definitions(r1_fmt INTERFACE FMT_HEADER_ONLY)

add_library(torch INTERFACE)
target_include_directories(torch SYSTEM INTERFACE ${TORCH_DIR}/include ${TORCH_DIR}/include/torch/csrc/api/include)
target_compile_definitions(torch INTERFACE AT_PER_OPERATOR_HEADERS FMT_HEADER_ONLY)
target_link_directories(torch INTERFACE ${TORCH_DIR}/lib)
target_link_libraries(torch INTERFACE torch_cpu c10)
# torch_cpu's own references to cupti and cudart resolve at load time through its run path.
target_link_options(torch INTERFACE -Wl,--allow-shlib-undefined)
foreach(folder ${R1_TORCH_RPATH})
  target_link_options(torch INTERFACE -Wl,-rpath,${folder})
endforeach()
if(R1_CUDA)
  target_link_libraries(torch INTERFACE -Wl,--no-as-needed torch_cuda c10_cuda -Wl,--as-needed)
  target_compile_definitions(torch INTERFACE R1_CUDA=1)
endif()
