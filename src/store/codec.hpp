// Lists and maps of texts as JSON columns.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace compose::store {

[[nodiscard]] std::string encode(const std::map<std::string, std::string>& map);
[[nodiscard]] std::string encode(const std::vector<std::string>& list);
[[nodiscard]] std::map<std::string, std::string> decode_map(std::string_view text);
[[nodiscard]] std::vector<std::string> decode_list(std::string_view text);

}  // namespace compose::store
