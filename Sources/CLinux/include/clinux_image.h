#ifndef DROVER_CLINUX_IMAGE_H
#define DROVER_CLINUX_IMAGE_H

// Files that hold an ext4 file system, mounted by loop devices. A device goes by itself with the last mount of it, also
// when everybody who had to do with it was killed.

/// Mounts the file system in an image, without any place in the tree. Returns a descriptor of the mount, which is gone
/// when that is closed and it was not moved anywhere; or -1 with errno set.
int drover_image_mount(const char *image);

/// Whether a loop device of this machine holds the image: 1, 0, or -1 with errno set.
int drover_image_in_use(const char *image);

#endif
