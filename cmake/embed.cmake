# compose_embed(TARGET FILE SYMBOL): adds to TARGET a source that defines `std::string_view compose::SYMBOL()` with the
# text of FILE, so that the binary stays one file.
function(compose_embed target file symbol)
  set(path ${CMAKE_SOURCE_DIR}/${file})
  set_property(DIRECTORY ${CMAKE_SOURCE_DIR} APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${path})
  file(READ ${path} EMBED_TEXT)
  set(EMBED_SYMBOL ${symbol})
  configure_file(${CMAKE_SOURCE_DIR}/cmake/embed.cpp.in ${CMAKE_BINARY_DIR}/embedded/${symbol}.cpp @ONLY)
  target_sources(${target} PRIVATE ${CMAKE_BINARY_DIR}/embedded/${symbol}.cpp)
endfunction()
