# shellcheck shell=bash
# LVS needs the kernel's IPVS, which not every machine has. So a virtual machine boots Debian's
# kernel, by software emulation, with nothing but a file system in memory; lvs-vm.sh runs there.

start_lvs() {
    local kernel
    kernel=$(newest_kernel)
    make_initrd "$kernel" "$dir/vm"
    start vm spike-vm qemu-system-x86_64 -accel tcg -m 384 -nodefaults -display none -no-reboot \
        -kernel "/boot/vmlinuz-$kernel" -initrd "$dir/vm/initrd" -append 'console=ttyS0 quiet panic=-1' \
        -serial "file:$dir/log/vm-console" -serial "file:$dir/vm/results"
}

check_lvs() {
    local line ended=
    await 240 is_gone vm || end vm
    while read -r line; do
        line=${line%$'\r'}
        case $line in
            'ok '*) check "${line#ok }" true ;;
            'FAILED '*) check "${line#FAILED }" false ;;
            ended) ended=$line ;;
            *) echo "$line" >>"$dir/log/vm-results" ;;
        esac
    done <"$dir/vm/results"
    check "LVS: the virtual machine came to its end" [ "$ended" = ended ]
}

newest_kernel() {
    local image
    image=$(compgen -G '/boot/vmlinuz-*-cloud-amd64' | sort -V | tail -n 1)
    echo "${image#/boot/vmlinuz-}"
}

# make_initrd KERNEL FOLDER: the kernel's modules, busybox, the programs with their libraries, and
# what they are to be tested with.
make_initrd() {
    local kernel=$1 folder=$2 root=$2/root module program library
    rm -rf "$folder"
    mkdir -p "$root"/{bin,dev,etc/keepalived,lib/modules,proc,run,sys,tmp,usr/sbin,var/run}
    for module in ip_vs_wrr veth bridge; do
        modprobe --show-depends --set-version "$kernel" "$module" | sed -n 's/^insmod \([^ ]*\).*/\1/p'
    done | awk '!seen[$0]++ && !/crc32c-intel/' | while read -r module; do
        cp "$module" "$root/lib/modules"
        echo "${module##*/}" >>"$root/lib/modules/order"
    done
    cp "$(command -v busybox)" "$root/bin"
    for program in ip ipvsadm keepalived; do
        program=$(command -v "$program")
        cp -L "$program" "$root/usr/sbin"
        ldd "$program" | grep -oE '/[^ ]+' | while read -r library; do
            mkdir -p "$root${library%/*}"
            cp -L "$library" "$root$library"
        done
    done
    cp "$here/lvs/keepalived.conf" "$root/etc/keepalived"
    cp "$here/lvs/real-server.sh" "$root/etc"
    echo 'root:x:0:0::/:/bin/sh' >"$root/etc/passwd"
    echo 'root:x:0:' >"$root/etc/group"
    install "$here/lab/lvs-vm.sh" "$root/init"
    (cd "$root" && find . | cpio --create --format newc --quiet | gzip -1) >"$folder/initrd"
}
