# Precompiled headers: what most files read is parsed once, not once a file. Three sets, each built
# by one target and shared by all who compile with the same flags:
#
#   std   the standard headers that cost most
#   json  std and the JSON library, for rooms where most files use it; loading it costs the others
#   test  std, GoogleTest and GoogleMock
#
# Files still include what they use: PYTOON_PRECOMPILED=OFF builds without (preset tsan does).
option(PYTOON_PRECOMPILED "Precompile the headers that most files read" ON)

set(PYTOON_PRECOMPILED_STD
    <algorithm> <array> <atomic> <chrono> <condition_variable> <cstdint> <filesystem> <functional>
    <map> <memory> <mutex> <optional> <set> <span> <sstream> <string> <string_view> <thread>
    <utility> <variant> <vector>)

# Declares the target that compiles one set. GCC must be told to leave the use of a precompiled
# header visible to ccache.
function(pytoon_precompiled_set name)
  cmake_parse_arguments(SET "" "" "HEADERS;LINK" ${ARGN})
  if(NOT PYTOON_PRECOMPILED)
    return()
  endif()
  file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/precompiled_${name}.cpp CONTENT "")
  add_library(pytoon_precompiled_${name} OBJECT ${PROJECT_BINARY_DIR}/precompiled_${name}.cpp)
  target_link_libraries(pytoon_precompiled_${name} PRIVATE ${SET_LINK})
  target_precompile_headers(pytoon_precompiled_${name} PRIVATE ${PYTOON_PRECOMPILED_STD}
                            ${SET_HEADERS})
  target_compile_options(pytoon_precompiled_${name} PRIVATE -fpch-preprocess)
endfunction()

function(pytoon_precompiled target name)
  if(PYTOON_PRECOMPILED)
    target_precompile_headers(${target} REUSE_FROM pytoon_precompiled_${name})
    target_compile_options(${target} PRIVATE -fpch-preprocess)
  endif()
endfunction()

pytoon_precompiled_set(std)
pytoon_precompiled_set(json HEADERS <nlohmann/json.hpp> LINK nlohmann_json::nlohmann_json)
