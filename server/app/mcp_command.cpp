// `pytoon mcp`: the tools of mcp_tools.h for an assistant that started this program, over standard
// input and output until the input ends. It is a client of a running server, as `pytoon submit`.
#include <iostream>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "server/app/commands.h"
#include "server/app/mcp_session.h"
#include "server/app/with_server.h"
#include "server/http/openapi.h"

namespace pytoon::app {

int serve_mcp(const Environment& environment) {
  return with_remote(environment, [](const Remote& remote) {
    McpSession session(remote,
                       mcp_tools(parse_json<nlohmann::ordered_json>(http::openapi_document())),
                       PYTOON_VERSION);
    for (std::string line; std::getline(std::cin, line);) {
      const std::optional<std::string> answer = session.answer(line);
      if (answer) std::cout << *answer << std::endl;
    }
    return 0;
  });
}

}  // namespace pytoon::app
