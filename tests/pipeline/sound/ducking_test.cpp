#include "tests/pipeline/sound/sound_fixture.h"
