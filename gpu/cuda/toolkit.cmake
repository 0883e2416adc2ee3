# Finds the CUDA toolkit; included by the top CMakeLists.txt. Sets PYTOON_HAVE_CUDA, and gives
# pytoon_cuda_object(). nvcc is called by a rule of ours and not as a CMake language: one file needs
# it, configuring stays fast, and programs are linked by the C++ compiler.
set(PYTOON_CUDA AUTO CACHE STRING "The CUDA device: AUTO (when nvcc is found), ON or OFF")
set_property(CACHE PYTOON_CUDA PROPERTY STRINGS AUTO ON OFF)
set(PYTOON_CUDA_ARCHITECTURES "" CACHE STRING
    "GPU codes such as sm_90 and compute_90 (PTX); empty: all for releases, the oldest's else")
set(cuda_version_min 12.0)  # C++20 in kernels

function(pytoon_find_cuda)
  set(PYTOON_HAVE_CUDA OFF PARENT_SCOPE)
  if(PYTOON_CUDA STREQUAL "OFF")
    return()
  endif()
  find_program(PYTOON_NVCC nvcc HINTS $ENV{CUDA_HOME}/bin $ENV{CUDA_PATH}/bin
               PATHS /usr/local/cuda/bin /opt/cuda/bin)
  if(PYTOON_NVCC)
    file(REAL_PATH ${PYTOON_NVCC} nvcc)
    get_filename_component(folder ${nvcc} DIRECTORY)
    get_filename_component(root ${folder} DIRECTORY)
    find_path(PYTOON_CUDA_INCLUDE cuda_runtime_api.h
              HINTS ${root}/include ${root}/targets/${CMAKE_SYSTEM_PROCESSOR}-linux/include)
    find_library(PYTOON_CUDART libcudart_static.a
                 HINTS ${root}/lib64 ${root}/targets/${CMAKE_SYSTEM_PROCESSOR}-linux/lib)
    execute_process(COMMAND ${PYTOON_NVCC} --version OUTPUT_VARIABLE text)
    string(REGEX MATCH "release ([0-9]+[.][0-9]+)" unused "${text}")
    set(version "${CMAKE_MATCH_1}")
  endif()
  if(NOT PYTOON_NVCC OR NOT PYTOON_CUDA_INCLUDE OR NOT PYTOON_CUDART)
    set(missing "no CUDA toolkit was found (nvcc, its headers and libcudart_static.a)")
  elseif(version VERSION_LESS cuda_version_min)
    set(missing "CUDA ${version} is too old: ${cuda_version_min} or newer is needed")
  else()
    message(STATUS "CUDA device: yes, toolkit ${version}")
    set(PYTOON_HAVE_CUDA ON PARENT_SCOPE)
    return()
  endif()
  if(PYTOON_CUDA STREQUAL "ON")
    message(FATAL_ERROR "PYTOON_CUDA is ON, but ${missing}")
  endif()
  message(STATUS "CUDA device: no, ${missing}")
endfunction()

# The codes to compile for: those wanted that this nvcc knows. SASS (sm_) runs on later minor
# versions of its generation, PTX (compute_) on everything later.
function(pytoon_gpu_codes out)
  set(wanted ${PYTOON_CUDA_ARCHITECTURES})
  if(NOT wanted AND CMAKE_BUILD_TYPE STREQUAL "Release")
    set(wanted sm_75 sm_80 sm_86 sm_89 sm_90 sm_100 sm_120 compute_90)
  elseif(NOT wanted)
    set(wanted sm_75 compute_75)
  endif()
  execute_process(COMMAND ${PYTOON_NVCC} --list-gpu-code OUTPUT_VARIABLE known)
  set(codes)
  foreach(code ${wanted})
    string(REGEX REPLACE "^[a-z]+_" "" number ${code})
    if(known MATCHES "sm_${number}[^0-9a-z]")
      list(APPEND codes ${code})
    endif()
  endforeach()
  if(NOT codes)
    message(FATAL_ERROR "This nvcc compiles for none of: ${wanted}")
  endif()
  set(${out} ${codes} PARENT_SCOPE)
endfunction()

# Compiles one .cu file to an object; what the kernels take (registers, spills) goes to
# OBJECT.resources. Floating point isn't contracted, as in the C++ compiler's options.
function(pytoon_cuda_object source object)
  pytoon_gpu_codes(codes)
  set(gencode)
  foreach(code ${codes})
    string(REGEX REPLACE "^[a-z]+_" "" number ${code})
    list(APPEND gencode -gencode arch=compute_${number},code=${code})
  endforeach()
  file(RELATIVE_PATH name ${PROJECT_SOURCE_DIR} ${source})
  add_custom_command(
    OUTPUT ${object} ${object}.resources
    COMMAND sh -c "\"$@\" 2> ${object}.resources || { cat ${object}.resources && false; }" --
            ${PYTOON_NVCC} -std=c++20 -O3 -fmad=false --expt-relaxed-constexpr ${gencode}
            --threads 0 -ccbin ${CMAKE_CXX_COMPILER} -I${PROJECT_SOURCE_DIR}
            -Xcompiler=-Wall,-Wextra,-Wno-unknown-pragmas,-fPIE -Werror all-warnings -Xptxas=-v
            -MD -MF ${object}.d -MT ${object} -c ${source} -o ${object}
    DEPENDS ${source} DEPFILE ${object}.d VERBATIM
    COMMENT "Building CUDA object ${name}")
endfunction()

pytoon_find_cuda()
set(PYTOON_CUDA_KERNELS ${PROJECT_BINARY_DIR}/gpu/cuda_kernels.o)
