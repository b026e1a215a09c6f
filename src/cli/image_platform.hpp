// --platform of the commands for images that are here.
#pragma once

#include <string>

namespace compose::cli {

class Arguments;
class Context;

void define_platform(Arguments& arguments, std::string& platform);
/// An image here is of one platform. Throws Error(not_found) when that is not `platform`; nothing asked: no check.
void check_platform(Context& context, const std::string& image, const std::string& platform);

}  // namespace compose::cli
