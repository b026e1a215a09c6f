# compose_layer(NAME LIBS ...): the static library of src/NAME, from all its sources.
add_library(compose_flags INTERFACE)
target_include_directories(compose_flags INTERFACE ${CMAKE_SOURCE_DIR}/include ${CMAKE_SOURCE_DIR}/src)
target_compile_options(compose_flags INTERFACE -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wnon-virtual-dtor
  $<$<NOT:$<CONFIG:Release>>:-Werror> -fno-strict-aliasing $<$<CONFIG:Debug>:-O1>)
target_compile_definitions(compose_flags INTERFACE COMPOSE_VERSION="${PROJECT_VERSION}"
  $<$<CONFIG:Debug>:_GLIBCXX_ASSERTIONS>)
target_link_libraries(compose_flags INTERFACE Threads::Threads)
if(COMPOSE_SANITIZE)
  target_compile_options(compose_flags INTERFACE -fsanitize=${COMPOSE_SANITIZE} -fno-sanitize-recover=all
    -fno-omit-frame-pointer)
  target_link_options(compose_flags INTERFACE -fsanitize=${COMPOSE_SANITIZE})
endif()

function(compose_layer name)
  cmake_parse_arguments(layer "" "" "LIBS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${name}/*.cpp)
  if(NOT sources)
    add_library(${name} INTERFACE)
    target_link_libraries(${name} INTERFACE ${layer_LIBS} compose_flags)
    return()
  endif()
  add_library(${name} STATIC ${sources})
  target_link_libraries(${name} PUBLIC ${layer_LIBS} compose_flags)
  target_compile_options(${name} PRIVATE -ffunction-sections -fdata-sections)
  target_precompile_headers(${name} PRIVATE ${CMAKE_SOURCE_DIR}/cmake/pch.hpp)
endfunction()
