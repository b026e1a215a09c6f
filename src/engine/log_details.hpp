// What the logging options `labels`, `env` and `tag` add to every line of a container: the same for all of them.
#pragma once

#include <map>
#include <string>

#include "engine/spec_builder.hpp"
#include "store/records.hpp"

namespace compose::engine {

/// Names of labels and variables, and "tag", with their values. `spec_env` is "K=V". Throws Error(invalid) for a tag
/// that is no template.
[[nodiscard]] std::map<std::string, std::string> log_details(const Service& service, const ImageFacts& image,
                                                             const store::Container& row,
                                                             const std::vector<std::string>& spec_env);
/// Throws Error(invalid) for what is no regular expression.
void check_log_pattern(const std::string& option, const std::string& pattern);
/// Throws Error(invalid) for a tag that can't be rendered, before there is a container.
void check_log_tag(const std::string& tag);

}  // namespace compose::engine
