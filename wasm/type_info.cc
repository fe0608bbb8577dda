// Only for core.wasm. The library's shared_ptr was compiled with type information, which names the
// virtual tables of the classes that describe types; nothing here ever looks at them (-fno-rtti).
// Empty ones keep 3 kB of dynamic_cast out of the module. Weak: should the library bring its own
// after all, those are taken.

extern "C" {

// NOLINTBEGIN: these names are the C++ ABI's.
__attribute__((weak)) extern const void* const _ZTVN10__cxxabiv117__class_type_infoE[8] = {};
__attribute__((weak)) extern const void* const _ZTVN10__cxxabiv120__si_class_type_infoE[8] = {};
__attribute__((weak)) extern const void* const _ZTVN10__cxxabiv121__vmi_class_type_infoE[8] = {};
// NOLINTEND

}  // extern "C"
