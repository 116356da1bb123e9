#ifndef DROVER_CLINUX_H
#define DROVER_CLINUX_H

#include "clinux_attribute.h"
#include "clinux_hole.h"
#include "clinux_names.h"
#include "clinux_image.h"
#include "clinux_namespace.h"
#include "clinux_process.h"
#include "clinux_program.h"
#include "clinux_runner.h"
#include "clinux_sandbox.h"
#include "clinux_signals.h"
#include "clinux_watch.h"

#endif
