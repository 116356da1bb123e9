#ifndef DROVER_CLINUX_H
#define DROVER_CLINUX_H

#include "clinux_process.h"

#endif
