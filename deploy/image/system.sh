#!/bin/sh
# Copy what the shop needs of this Debian into the directory $1, and of its Python into $2, and nothing else: no package
# manager, no compiler, no perl, no pip. What is not there needs no update and helps no intruder.
set -eu
target=$1
python=$2

# What Python is linked with, certificates, and the shell and small commands of busybox for a look around. To each its
# dependencies by hand: bytecode.py finds what is missing.
kept="base-files base-passwd netbase ca-certificates libc6 libc-bin libgcc-s1 libstdc++6 libcrypt1
    libssl3 zlib1g liblzma5 libbz2-1.0 libffi8 libexpat1 libuuid1 libreadline8 libtinfo6 busybox"

apt-get update
apt-get install --yes --no-install-recommends busybox

mkdir -p "$target/usr/bin" "$target/usr/sbin" "$target/usr/lib" "$target/usr/lib64" "$target/var/lib/dpkg/status.d"
for directory in bin sbin lib lib64; do ln -s "usr/$directory" "$target/$directory"; done

copy() { # the paths of standard input, without what is below directories
    while read -r path; do if [ -e "$path" ] || [ -L "$path" ]; then echo "${path#/}"; fi; done |
        grep -v -E -x '|\.|bin|sbin|lib|lib64' | tar -C / -c --no-recursion -T - | tar -C "$target" -x
}

# Not the tables for character sets and vectors of numbers, which Python has itself or not at all.
# shellcheck disable=SC2086  # a list
dpkg-query --listfiles $kept | sort -u |
    grep -v -E '^/usr/share/(doc|man|info|locale|lintian|bug)(/|$)|/gconv(/|$)|/libmvec|/ldconfig' | copy
# Scanners for known weaknesses read here what is installed, as in other images without dpkg.
for package in $kept; do dpkg-query --status "$package" > "$target/var/lib/dpkg/status.d/$package"; done
# What the packages made when they were installed.
find /etc/ssl /usr/lib/ssl /etc/passwd /etc/group /etc/nsswitch.conf | copy

cd /usr/local
find bin/python* lib/libpython* lib/python3.* -name __pycache__ -prune -o -print | sed 's:^:/usr/local/:' |
    grep -v -E -e 'config$|/(pip|idle|2to3|pydoc)' -e '/(tests?|idle_test)/' \
        -e '/lib/python3[.][0-9]+/(site-packages/.|ensurepip|idlelib|lib2to3|distutils|tkinter|turtle|sqlite3|config-)' \
        -e '/lib-dynload/(_test|_xx|xx|_curses|_dbm|_gdbm|_tkinter|_sqlite3|nis)' | copy

# Somebody without rights, with a number by which Kubernetes can see that it is not root.
echo 'grocery:x:10001:10001:Grocery:/tmp:/usr/sbin/nologin' >> "$target/etc/passwd"
echo 'grocery:x:10001:' >> "$target/etc/group"
mkdir -p "$target/data/media" "$target/tmp" "$target/proc" "$target/sys" "$target/dev"
chmod 1777 "$target/tmp"
chown -R 10001:10001 "$target/data"

ldconfig -r "$target" -X
rm -rf "$target/var/cache/ldconfig"
chroot "$target" /bin/busybox --install -s
rm "$target/linuxrc"
mv "$target/usr/local" "$python"
mkdir "$target/usr/local"
find "$target" "$python" -exec touch --no-dereference --date "@$SOURCE_DATE_EPOCH" {} +
