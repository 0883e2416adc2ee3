#include "pipeline/media/decoder/decoder_host.h"
#include "pipeline/media/decoder/local_decoder.h"
#include "server/app/commands.h"

namespace pytoon::app {

int decode_files(int waiting) {
  media::LocalDecoder decoder;
  return media::serve_decoders(media::kDecoderControl, decoder, waiting);
}

}  // namespace pytoon::app
