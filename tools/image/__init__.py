# SPDX-License-Identifier: MPL-2.0
"""Makes root images: cpio archives that a kernel unpacks into its first file system."""
