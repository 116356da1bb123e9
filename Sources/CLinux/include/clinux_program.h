#ifndef DROVER_CLINUX_PROGRAM_H
#define DROVER_CLINUX_PROGRAM_H

/// Gives back the pages of this program's own file that are only read, such as its code; those that are needed come back
/// from the page cache by themselves. Nothing that was written is touched.
void drover_release_program(void);

/// The version that the build was told (DROVER_VERSION in its environment); empty for a build that was told none.
const char *drover_stamped_version(void);

#endif
